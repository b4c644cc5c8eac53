import { isJsonObject } from "fleetrig/kernel";
import { isTopicName, REASON } from "fleetrig/protocol";
import type { Cloud } from "../cloud.js";
import { cloudError } from "../cloud-error.js";

const text = (body: unknown, name: string): string => {
  const value = isJsonObject(body) ? body[name] : undefined;
  if (typeof value === "string") return value;
  throw cloudError("InvalidRequestException", `${name} has to be a text.`);
};

export function disconnectAction(cloud: Cloud, body: unknown): void {
  cloud.broker.disconnectClient(text(body, "clientId"), {
    reasonCode: REASON.administrativeAction,
    awsReason: "API_INITIATED_DISCONNECT",
    sendWill: true,
  });
}

export function publishAction(cloud: Cloud, body: unknown): void {
  const topic = text(body, "topic");
  if (!isTopicName(topic)) throw cloudError("InvalidRequestException", "This is no topic name.");
  const retain = isJsonObject(body) && body["retain"] === true;
  cloud.broker.publish({ topic, payload: text(body, "payload"), qos: 1, retain });
}

/** Sets what is desired: keys that are no longer there are taken out of the document. */
export function shadowAction(cloud: Cloud, body: unknown): void {
  const shadowName = text(body, "shadowName");
  const key = { thing: text(body, "thingName"), ...(shadowName !== "" && { shadowName }) };
  const desired = isJsonObject(body) ? body["desired"] : undefined;
  if (!isJsonObject(desired))
    throw cloudError("InvalidRequestException", "What is desired has to be an object.");
  const before = cloud.shadows.document(key)?.desired?.state ?? {};
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(desired, name));
  const wanted = { ...Object.fromEntries(removed.map((name) => [name, null])), ...desired };
  const result = cloud.shadows.request(
    key,
    "update",
    Buffer.from(JSON.stringify({ state: { desired: wanted } })),
  );
  if (!result.ok) throw cloudError("InvalidRequestException", result.error.message);
}

import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "fleetrig/kernel";
import { parseReservedTopic, type PublishPacket, type ReservedTopic } from "fleetrig/protocol";
import type { DeviceSignalEvent } from "../model.js";

/** AWS: no message is larger (REF §2.7); what is, a device does not look at. */
const MAX_PAYLOAD_BYTES = 131_072;
/** AWS shadows nest 8 levels; documents of jobs may go deeper. */
const MAX_DEPTH = 64;

type EventType = DeviceSignalEvent["type"];

/** Turns a reply's body into an event; undefined when it says nothing to a machine. */
interface Reading {
  readonly type: EventType;
  read(body: JsonObject, name: string | undefined): DeviceSignalEvent | undefined;
}

/**
 * Translates what the cloud sends into events of a machine. Messages to other topics become MESSAGE.
 * @param accepts Events that the machine knows: others are not even parsed.
 */
export function eventOf(
  thingName: string,
  packet: PublishPacket,
  accepts: (type: EventType) => boolean,
): DeviceSignalEvent | undefined {
  if (packet.payload.length > MAX_PAYLOAD_BYTES) return undefined;
  const topic = parseReservedTopic(packet.topic);
  const reading = topic === undefined ? undefined : readingOf(thingName, topic);
  if (topic === undefined || reading === undefined) {
    if (!accepts("MESSAGE")) return undefined;
    return { type: "MESSAGE", topic: packet.topic, payload: bodyOf(packet) };
  }
  if (!accepts(reading.type)) return undefined;
  const body = bodyOf(packet);
  if (!isJsonObject(body)) return undefined;
  return reading.read(body, nameIn(topic));
}

/** Undefined for what is not addressed to this thing, or says nothing to a machine. */
function readingOf(thingName: string, topic: ReservedTopic): Reading | undefined {
  const isOurs = (topic.service === "shadow" || topic.service === "jobs") && topic.thing === thingName;
  return isOurs ? READINGS.get(`${topic.service} ${topic.operation} ${topic.message}`) : undefined;
}

/** The shadow or the job that a topic names. */
const nameIn = (topic: ReservedTopic): string | undefined =>
  topic.service === "shadow" ? topic.shadowName : topic.service === "jobs" ? topic.jobId : undefined;

/** JSON where it is, text otherwise. */
function bodyOf({ payload }: PublishPacket): JsonValue {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  const parsed = parseJson(text, MAX_DEPTH);
  return parsed.ok ? parsed.value : text;
}

const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ["shadow update delta", { type: "DELTA", read: (body, name) => delta(body["state"], body, name) }],
  [
    "shadow get accepted",
    {
      type: "DELTA",
      read: (body, name) => {
        const { state } = body;
        return isJsonObject(state) ? delta(state["delta"], body, name) : undefined;
      },
    },
  ],
  [
    "jobs notify-next notification",
    {
      type: "JOB_AVAILABLE",
      read: (body) => (isJsonObject(body["execution"]) ? { type: "JOB_AVAILABLE" } : undefined),
    },
  ],
  ["jobs start-next accepted", { type: "JOB", read: (body) => job(body["execution"]) }],
  ["jobs start-next rejected", { type: "JOB_REJECTED", read: rejection }],
  ["jobs update rejected", { type: "JOB_REJECTED", read: rejection }],
]);

function delta(
  state: JsonValue | undefined,
  { version }: JsonObject,
  shadowName: string | undefined,
): DeviceSignalEvent | undefined {
  if (!isJsonObject(state) || typeof version !== "number") return undefined;
  return { type: "DELTA", shadowName, state, version };
}

function job(execution: JsonValue | undefined): DeviceSignalEvent | undefined {
  if (!isJsonObject(execution)) return undefined;
  const { jobId, jobDocument, executionNumber = 1, versionNumber = 1 } = execution;
  if (typeof jobId !== "string" || !isJsonObject(jobDocument)) return undefined;
  if (typeof executionNumber !== "number" || typeof versionNumber !== "number") return undefined;
  return { type: "JOB", jobId, document: jobDocument, executionNumber, versionNumber };
}

function rejection(body: JsonObject, jobId: string | undefined): DeviceSignalEvent {
  const { code } = body;
  return { type: "JOB_REJECTED", jobId: jobId ?? "", code: typeof code === "string" ? code : "" };
}

import { type Clock, isJsonObject } from "fleetrig/kernel";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, Routing } from "../message-bus.js";
import { type JobsTopic, parseReservedTopic } from "fleetrig/protocol";
import { readClientToken, type Refusal } from "./device-requests.js";
import type { DeviceAnswer, DeviceOperations } from "./device-operations.js";
import { epochSeconds } from "./execution-view.js";

export interface DeviceApiParts {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly operations: DeviceOperations;
}

const refused = (refusal: Refusal): DeviceAnswer => ({ ok: false, refusal });

/**
 * The four requests of a device over MQTT (REF §6.5). Requests are seen by nobody else; answers go straight to the
 * client that asked (class D). An empty payload means `{}`, which field devices send for the reading requests.
 */
export class JobsDeviceApi {
  constructor(private readonly parts: DeviceApiParts) {}

  /** Answers a request. Anything else that a client publishes below a thing's `jobs/` goes nowhere. */
  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    if (topic?.service !== "jobs") return this.handleUnknown(message);
    if (topic.message !== "request") return message.publisher === undefined ? "broker" : "consumed";
    this.respond(message, topic);
    return "consumed";
  }

  private handleUnknown(message: ApplicationMessage): Routing {
    if (!/^\$aws\/things\/[^/]+\/jobs(\/|$)/.test(message.topic)) return "broker";
    if (!/\/(accepted|rejected)$/.test(message.topic))
      this.answer(
        message,
        refused({ code: "InvalidTopic", message: "This topic names no request." }),
        undefined,
      );
    return "consumed";
  }

  private respond(message: ApplicationMessage, { operation, thing, jobId }: JobsTopic): void {
    const body = readBody(message);
    if (!body.ok) return this.answer(message, body, undefined);
    const token = readClientToken(body.value);
    if (!token.ok) return this.answer(message, token, undefined);
    const answer = this.parts.operations.perform({ operation, thing, jobId, body: body.value });
    if (answer !== undefined) this.answer(message, answer, token.value);
  }

  private answer(message: ApplicationMessage, answer: DeviceAnswer, clientToken: string | undefined): void {
    if (message.publisher === undefined) return;
    const body = {
      ...(answer.ok ? answer.value : answer.refusal),
      timestamp: epochSeconds(this.parts.clock.wallMs()),
      ...(clientToken === undefined ? {} : { clientToken }),
    };
    this.parts.bus.sendDirect(message.publisher, {
      topic: `${message.topic}/${answer.ok ? "accepted" : "rejected"}`,
      payload: JSON.stringify(body),
      qos: message.qos === 0 ? 0 : 1,
    });
  }
}

/** The payload as an object; everything else is refused as a whole. */
function readBody(message: ApplicationMessage): DeviceAnswer {
  if (message.payload.byteLength === 0) return { ok: true, value: {} };
  const parsed = message.json();
  if (!parsed.ok) return refused({ code: "InvalidJson", message: "The payload is not JSON." });
  if (!isJsonObject(parsed.value))
    return refused({ code: "InvalidRequest", message: "The payload must be a JSON object." });
  return { ok: true, value: parsed.value };
}

import { isJsonObject, type JsonValue } from "fleetrig/kernel";

/**
 * Messages are followed by a tag in an MQTT 5 user property. MQTT 3.1.1 has none, so there a message is known by
 * its topic, which tells thing and stream, and by the *trace field*: the key of its payload that holds `{seq}`.
 */
const SEQUENCE = "{seq}";

/** Placeholders whose value is not known before the message is sent. */
const MOVING = /\{(?:seq|now|state\.[^{}]*|identity\.[^{}]*)\}/;

export interface TraceableStream {
  readonly topic: string;
  readonly payload: JsonValue;
  /** As written; default: the first key of the payload whose template is exactly `{seq}`. */
  readonly traceField: string | undefined;
}

/** The payload key that holds the sequence number; undefined when there is none. */
export function traceFieldOf({ payload, traceField }: TraceableStream): string | undefined {
  if (!isJsonObject(payload)) return undefined;
  if (traceField === undefined) return Object.keys(payload).find((key) => payload[key] === SEQUENCE);
  return Object.hasOwn(payload, traceField) && payload[traceField] === SEQUENCE ? traceField : undefined;
}

/** Why messages of the stream cannot be told apart in MQTT 3.1.1; undefined when they can. */
export function untraceableBecause(stream: TraceableStream, things: number): string | undefined {
  if (traceFieldOf(stream) === undefined) return "no key of its payload holds {seq}";
  if (MOVING.test(stream.topic)) return "its topic changes from message to message";
  if (things > 1 && !/\{[^}]*\}/.test(stream.topic)) return "all its things share one topic";
  return undefined;
}

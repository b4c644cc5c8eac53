/**
 * The identity that every simulated publish carries across the wire: `<run>.<stream>.<thing>.<sequence>`,
 * numbers in base 36. It travels as an MQTT 5 user property, and rules copy it to what they republish, so
 * that end-to-end truth needs no knowledge of payloads.
 */
export const TRACE_PROPERTY = "fleetrig";

/** User property naming the rule that republished a message, beside the trace tag of what triggered it. */
export const RULE_PROPERTY = "fleetrig-rule";

export interface TraceTag {
  readonly run: string;
  readonly stream: number;
  readonly thing: number;
  readonly sequence: number;
}

export const formatTraceTag = (run: string, stream: number, thing: number, sequence: number): string =>
  `${run}.${stream.toString(36)}.${thing.toString(36)}.${sequence.toString(36)}`;

/** @returns undefined for anything that is not a tag: foreign clients may use the property name too. */
export function parseTraceTag(text: string): TraceTag | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const [stream, thing, sequence] = parts.slice(1).map((part) => Number.parseInt(part, 36));
  if (!isIndex(stream) || !isIndex(thing) || !isIndex(sequence)) return undefined;
  return { run: parts[0]!, stream, thing, sequence };
}

const isIndex = (value: number | undefined): value is number =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0;

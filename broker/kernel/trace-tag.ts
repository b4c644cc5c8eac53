/**
 * The identity that every simulated publish carries across the wire: `<run>.<stream>.<thing>.<sequence>`,
 * numbers in base 36. It travels as an MQTT 5 user property, and rules copy it to what they republish, so
 * that end-to-end truth needs no knowledge of payloads.
 */
export const TRACE_PROPERTY = "fleetrig";

/** User property naming the rule that republished a message, beside the trace tag of what triggered it. */
export const RULE_PROPERTY = "fleetrig-rule";

/** A tag taken apart; the numbers are those of the `DeliveryProbe`. */
export interface TraceTag {
  readonly run: string;
  readonly stream: number;
  readonly thing: number;
  readonly sequence: number;
}

/** Writes the tag of one message. */
export const formatTraceTag = (run: string, stream: number, thing: number, sequence: number): string =>
  traceTagPrefix(run, stream, thing) + sequence.toString(36);

/** What all tags of one stream of one thing begin with; the sequence number in base 36 follows. */
export const traceTagPrefix = (run: string, stream: number, thing: number): string =>
  `${run}.${stream.toString(36)}.${thing.toString(36)}.`;

/** @returns undefined for anything that is not a tag: foreign clients may use the property name too. */
export function parseTraceTag(text: string): TraceTag | undefined {
  const first = text.indexOf(".");
  const second = text.indexOf(".", first + 1);
  const third = text.indexOf(".", second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = base36(text, first + 1, second);
  const thing = base36(text, second + 1, third);
  const sequence = base36(text, third + 1, text.length);
  if (stream < 0 || thing < 0 || sequence < 0) return undefined;
  return { run: text.slice(0, first), stream, thing, sequence };
}

/** Ten digits are within the safe integers, and more than any run counts to. */
const MAX_DIGITS = 10;

/** The number between two positions of the text, or -1. By hand: every message of a run is parsed twice. */
function base36(text: string, from: number, to: number): number {
  if (to <= from || to - from > MAX_DIGITS) return -1;
  let value = 0;
  for (let i = from; i < to; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) value = value * 36 + code - 0x30;
    else if (code >= 0x61 && code <= 0x7a) value = value * 36 + code - 0x57;
    else return -1;
  }
  return value;
}

/**
 * The keys of all records. `<session>` and `<body>` are numbers that are never used again, in 12 hexadecimal digits,
 * so that keys sort as numbers do.
 *
 * - `s/<session>`: who it is, how long it lives, its will
 * - `t/<session>/<filter>`: one subscription
 * - `f/<session>`: flow: packet identifiers and their states, what is gone of the segments
 * - `q/<session>/<sequence>`: a *segment*: the messages that came for it within one commit; the first one's sequence
 * - `b/<body>`: a message that many segments refer to
 * - `r/<topic>`: a retained message
 * - `c/<table>/<key>`: a record of one of the cloud's services, in JSON
 * - `x/<key>`: a record that could not be read, as it was found
 */
const DIGITS = 12;

export const PREFIX = {
  session: "s/",
  subscription: "t/",
  flow: "f/",
  segment: "q/",
  body: "b/",
  retained: "r/",
  record: "c/",
  damaged: "x/",
} as const;

const digits = (number: number): string => number.toString(16).padStart(DIGITS, "0");

export const sessionId = (number: number): string => digits(number);
export const sessionKey = (id: string): string => PREFIX.session + id;
export const subscriptionKey = (id: string, filter: string): string =>
  `${PREFIX.subscription}${id}/${filter}`;
export const flowKey = (id: string): string => PREFIX.flow + id;
export const segmentKey = (id: string, first: number): string => `${PREFIX.segment}${id}/${digits(first)}`;
export const bodyKey = (number: number): string => PREFIX.body + digits(number);
export const retainedKey = (topic: string): string => PREFIX.retained + topic;
export const recordKey = (table: string, key: string): string => `${PREFIX.record}${table}/${key}`;
export const damagedKey = (key: string): string => PREFIX.damaged + key;

/** The session that a key of the kinds `s`, `t`, `f` and `q` belongs to. */
export const sessionIdOf = (key: string): string => key.slice(2, 2 + DIGITS);
/** What follows the session in a key of the kinds `t` and `q`. */
export const restOf = (key: string): string => key.slice(3 + DIGITS);
/** The number in `digits`; NaN for anything else. */
export const numberOf = (text: string): number =>
  /^[0-9a-f]{12}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;

/**
 * Topic names and filters (MQTT §4.7). Both profiles share validity; they differ in one match:
 * under `aws`, `a/#` does not match its parent level `a` (AWS IoT Core's documented deviation).
 */
export type Profile = "aws" | "oasis";

/** [MQTT-1.5.4-1..2, 4.7.3-1..3] non-empty, no NUL, at most 65,535 bytes. */
const isTopicText = (text: string): boolean =>
  text.length > 0 && text.length <= 65_535 && !text.includes("\u0000") && Buffer.byteLength(text) <= 65_535;

/** A name may be published to: no wildcards [MQTT-3.3.2-2]. */
export const isTopicName = (text: string): boolean =>
  isTopicText(text) && !text.includes("+") && !text.includes("#");

/** `+` and `#` occupy whole levels, `#` only the last one [MQTT-4.7.1-1, 4.7.1-2]. */
export function isTopicFilter(text: string): boolean {
  if (!isTopicText(text)) return false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char !== "+" && char !== "#") continue;
    const isWholeLevel =
      (at === 0 || text[at - 1] === "/") && (at + 1 === text.length || text[at + 1] === "/");
    if (!isWholeLevel || (char === "#" && at + 1 < text.length)) return false;
  }
  return true;
}

/** Whether a valid filter can match more than one topic. */
export const hasWildcard = (filter: string): boolean => filter.includes("+") || filter.includes("#");

/** Does `filter` match `topic`? Wildcards in the first level never match `$` topics [MQTT-4.7.2-1]. */
export function topicMatches(filter: string, topic: string, profile: Profile): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (let i = 0; i < wanted.length; i += 1) {
    if (wanted[i] === "#") return profile === "oasis" || levels.length > i;
    if (i >= levels.length) return false;
    if (wanted[i] !== "+" && wanted[i] !== levels[i]) return false;
  }
  return wanted.length === levels.length;
}

/** A shared subscription's two parts: `$share/<share>/<filter>`. */
export interface SharedFilter {
  readonly share: string;
  readonly filter: string;
}

/** `$share/<name>/<filter>`; undefined when it is not a shared subscription or is malformed [MQTT-4.8.2-1..2]. */
export function parseSharedFilter(text: string): SharedFilter | undefined {
  const match = /^\$share\/([^/+#]+)\/(.+)$/s.exec(text);
  return match === null ? undefined : { share: match[1]!, filter: match[2]! };
}

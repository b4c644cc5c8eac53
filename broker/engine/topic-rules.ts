import { isTopicFilter, isTopicName, parseSharedFilter, REASON } from "fleetrig/protocol";
import type { BrokerLimits } from "./limits.js";
import type { ProfileTraits } from "./profiles.js";

const SHARED_PREFIX = "$share/";
const RULES_PREFIX = "$aws/rules/";

/** Does this filter ask for a shared subscription, well-formed or not? */
export const isSharedFilter = (filter: string): boolean => filter.startsWith(SHARED_PREFIX);

/** Length and depth of a topic name or filter. AWS: the levels `$aws/rules/<rule>/` do not count (REF §2.7). */
function isWithinTopicLimits(topic: string, limits: BrokerLimits): boolean {
  if (topic.length > limits.topicBytes || Buffer.byteLength(topic) > limits.topicBytes) return false;
  let start = 0;
  if (topic.startsWith(RULES_PREFIX)) {
    const ruleEnd = topic.indexOf("/", RULES_PREFIX.length);
    start = ruleEnd < 0 ? topic.length : ruleEnd + 1;
  }
  let slashes = 0;
  for (let at = topic.indexOf("/", start); at >= 0; at = topic.indexOf("/", at + 1)) slashes += 1;
  return slashes <= limits.topicSlashes;
}

const isForeignReserved = (topic: string, traits: ProfileTraits): boolean =>
  traits.reservedTopicPrefix !== undefined &&
  topic.startsWith("$") &&
  !topic.startsWith(traits.reservedTopicPrefix);

/** Why a client may not publish to this topic; 0 when it may (policies aside). */
export function topicRefusal(topic: string, limits: BrokerLimits, traits: ProfileTraits): number {
  const isFine =
    isTopicName(topic) && isWithinTopicLimits(topic, limits) && !isForeignReserved(topic, traits);
  return isFine ? 0 : REASON.topicNameInvalid;
}

/**
 * What is wrong with a filter: its grammar, or only its size. The prefix of a shared subscription has rules of its
 * own [MQTT-4.8.2-1, 4.8.2-2] and does not count as length or depth (REF §2.5).
 */
export function filterFault(filter: string, limits: BrokerLimits): "malformed" | "too-long" | undefined {
  if (!isTopicFilter(filter)) return "malformed";
  if (!isSharedFilter(filter)) return isWithinTopicLimits(filter, limits) ? undefined : "too-long";
  const shared = parseSharedFilter(filter);
  if (shared === undefined || shared.share.length > limits.shareNameLength) return "malformed";
  return isWithinTopicLimits(shared.filter, limits) ? undefined : "too-long";
}

export const isUnavailableFilter = (filter: string, traits: ProfileTraits): boolean =>
  isForeignReserved(parseSharedFilter(filter)?.filter ?? filter, traits);

import type { Profile } from "fleetrig/protocol";

/**
 * What differs between the two conformance profiles, as data. `aws` is AWS IoT Core's documented behaviour
 * (REF §2.1), `oasis` the MQTT 3.1.1 and 5 standards.
 */
export interface ProfileTraits {
  readonly profile: Profile;
  /** AWS: a client that asks for a keep-alive outside this range gets the nearest end; 0 counts as the maximum. */
  readonly keepAlive: { readonly minimumS: number; readonly maximumS: number } | undefined;
  /** AWS: message expiry intervals outside this range count as its nearest end (REF §2.6). */
  readonly messageExpiry: { readonly minimumS: number; readonly maximumS: number } | undefined;
  /** AWS: retained messages reach exact filters only. */
  readonly retainedOnWildcards: boolean;
  /** AWS: nothing is retained on `$` topics. */
  readonly retainsReservedTopics: boolean;
  /** Subscription identifiers; AWS: not available, their use is answered with 0xA1. */
  readonly subscriptionIds: boolean;
  /** Enhanced authentication (§4.12); AWS: not available. */
  readonly enhancedAuthentication: boolean;
  /** PUBACK 0x10 for a publish nobody subscribed to; AWS: not among its reason codes (REF §2.6). */
  readonly reportsNoMatchingSubscribers: boolean;
  /** AWS: Maximum QoS is 1; QoS 2 ends an MQTT 5 connection, and a 3.1.1 client never gets an acknowledgement. */
  readonly qos2: "ignored" | "standard";
  /** A 3.1.1 client that may not publish or subscribe. AWS: closed without a reason. */
  readonly deniedLegacyClient: "closed" | "tolerated";
  /** AWS: a session of a 3.1.1 client cannot be resumed by an MQTT 5 client or the other way round. */
  readonly sessionsCrossVersions: boolean;
  /** AWS: `$` topics other than `$aws/...` are no topics a client can use. */
  readonly reservedTopicPrefix: string | undefined;
}

/** The traits of both profiles. */
export const PROFILE_TRAITS: Readonly<Record<Profile, ProfileTraits>> = {
  aws: {
    profile: "aws",
    keepAlive: { minimumS: 30, maximumS: 1200 },
    messageExpiry: { minimumS: 1, maximumS: 604_800 },
    retainedOnWildcards: false,
    retainsReservedTopics: false,
    subscriptionIds: false,
    enhancedAuthentication: false,
    reportsNoMatchingSubscribers: false,
    qos2: "ignored",
    deniedLegacyClient: "closed",
    sessionsCrossVersions: false,
    reservedTopicPrefix: "$aws/",
  },
  oasis: {
    profile: "oasis",
    keepAlive: undefined,
    messageExpiry: undefined,
    retainedOnWildcards: true,
    retainsReservedTopics: true,
    subscriptionIds: true,
    enhancedAuthentication: true,
    reportsNoMatchingSubscribers: true,
    qos2: "standard",
    deniedLegacyClient: "tolerated",
    sessionsCrossVersions: true,
    reservedTopicPrefix: undefined,
  },
};

/** The keep-alive that really applies, in seconds; 0 means none. */
export function effectiveKeepAliveS(requestedS: number, traits: ProfileTraits): number {
  const range = traits.keepAlive;
  if (range === undefined) return requestedS;
  if (requestedS === 0) return range.maximumS;
  return Math.min(Math.max(requestedS, range.minimumS), range.maximumS);
}

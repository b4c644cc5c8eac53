import type { SharedStrategy } from "./share-group.js";
import type { Profile } from "fleetrig/protocol";

/** Choices that MQTT leaves to the server. */
export interface BrokerFeatures {
  /** Who of a share group gets a message. Default: `random` under `aws` (documented), else `round-robin`. */
  readonly sharedStrategy: SharedStrategy;
  /** May others finish what a member that lost its connection had not confirmed? Default true. */
  readonly sharedRedelivery: boolean;
  /**
   * Response Information for clients that ask for it is this and the client id: where their responses should go.
   * Default: none is given.
   */
  readonly responseTopicPrefix: string | undefined;
}

/** What holds where the options say nothing. */
export const defaultFeatures = (profile: Profile): BrokerFeatures => ({
  sharedStrategy: profile === "aws" ? "random" : "round-robin",
  sharedRedelivery: true,
  responseTopicPrefix: undefined,
});

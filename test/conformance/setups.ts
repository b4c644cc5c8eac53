import type { BrokerHooks } from "fleetrig/broker";
import { REASON } from "fleetrig/protocol";

/** Programs around the broker that some cases need: what a user would add with hooks. */
export const SETUPS: Readonly<Record<string, Partial<BrokerHooks>>> = {
  /** Whoever gives a user name has to be alice with the password `secret`; the topic `denied` is nobody's. */
  guarded: {
    authorizeConnect: ({ username, password }) =>
      username === undefined ||
      (username === "alice" && Buffer.from(password ?? []).toString("utf8") === "secret")
        ? "allow"
        : { refuse: REASON.badUserNameOrPassword },
    authorizePublish: (_, { topic }) => topic !== "denied",
    authorizeSubscribe: (_, { filter }) => filter !== "denied",
  },
};

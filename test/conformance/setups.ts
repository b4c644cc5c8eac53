import type { AuthenticationOutcome, BrokerFeatures, BrokerHooks } from "fleetrig/broker";
import { REASON } from "fleetrig/protocol";

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("utf8");

/** What a program gives its broker besides limits. */
export interface Setup {
  readonly hooks?: Partial<BrokerHooks>;
  readonly features?: Partial<BrokerFeatures>;
}

/** Programs around the broker that some cases need. */
export const SETUPS: Readonly<Record<string, Setup>> = {
  /** Tells clients where their responses should go. */
  "response topics": { features: { responseTopicPrefix: "answers/" } },
  /** Whoever gives a user name has to be alice with the password `secret`; the topic `denied` is nobody's. */
  guarded: {
    hooks: {
      authorizeConnect: ({ username, password }) =>
        username === undefined || (username === "alice" && textOf(password) === "secret")
          ? "allow"
          : {
              refuse: REASON.badUserNameOrPassword,
              reasonString: "Nobody here is called like that.",
              userProperties: [["who", "mallory"]],
            },
      authorizePublish: (_, { topic }) => topic !== "denied",
      authorizeSubscribe: (_, { filter }) => filter !== "denied",
    },
  },
  /** Enhanced authentication by the method `sum`: who knows that 3 + 4 is 7 comes in. */
  sums: {
    hooks: {
      authenticate: ({ method, data, step }): AuthenticationOutcome => {
        if (method !== "sum") return "unsupported";
        if (step === 1) return { challenge: Buffer.from("3+4") };
        return textOf(data) === "7"
          ? { isAuthenticated: true, proof: Buffer.from("right") }
          : {
              refuse: REASON.notAuthorized,
              reasonString: "Three and four make something else.",
              userProperties: [["got", textOf(data)]],
            };
      },
    },
  },
};

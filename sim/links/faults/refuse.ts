import type { LinkFaultDefinition } from "../link-fault.js";

/** Nobody listens: connection attempts are refused. Links that are open stay. */
export const refuse: LinkFaultDefinition = {
  description: "refuses new TCP connections",
  parameters: {
    probability: { kind: "share", description: "share of the attempts refused", default: 1 },
  },
  create: (values, random) => ({
    obstruct: () => (random.chance(values["probability"] as number) ? "refused" : undefined),
  }),
};

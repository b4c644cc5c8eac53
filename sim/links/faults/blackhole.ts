import type { LinkFaultDefinition } from "../link-fault.js";

/**
 * A path that forgot the connection: packets vanish both ways and neither side is told. The link that was open
 * stays dead when the fault ends, as behind a NAT that lost its table: who sends on it then gets a reset.
 */
export const blackhole: LinkFaultDefinition = {
  description: "packets vanish both ways and nobody is told (half-open)",
  parameters: {},
  create: () => ({
    start: (control) => control.sever(),
    opened: (control) => control.sever(),
    obstruct: () => "vanish",
  }),
};

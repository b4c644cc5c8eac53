import type { LinkFaultDefinition } from "../link-fault.js";

/** One RST to both sides of the open link. New connections are let through. */
export const reset: LinkFaultDefinition = {
  description: "resets the open link, once",
  parameters: {},
  create: () => ({ start: (control) => control.reset() }),
};

import { appliesTo, DIRECTION, type LinkFaultDefinition } from "../link-fault.js";

/** The link carries no more than `rate`; a slower profile stays as slow as it is. */
export const bandwidth: LinkFaultDefinition = {
  description: "limits the rate at which bytes leave",
  parameters: {
    rate: { kind: "bits-per-second", description: "bits per second in each direction" },
    direction: DIRECTION,
  },
  create: (values) => {
    const rate = values["rate"] as number;
    return {
      shape: (passage) => {
        if (!appliesTo(values["direction"], passage.direction)) return;
        if (passage.bitsPerSecond === 0 || passage.bitsPerSecond > rate) passage.bitsPerSecond = rate;
      },
    };
  },
};

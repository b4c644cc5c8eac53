import { appliesTo, DIRECTION, type LinkFaultDefinition } from "../link-fault.js";

/** Every packet takes longer: `by`, plus a uniform draw of up to `jitter`. Order is kept. */
export const latency: LinkFaultDefinition = {
  description: "adds delay and jitter to every packet",
  parameters: {
    by: { kind: "duration", description: "delay added in each direction" },
    jitter: { kind: "duration", description: "upper bound of a uniform extra delay", default: 0 },
    direction: DIRECTION,
  },
  create: (values, random) => {
    const by = values["by"] as number;
    const jitter = values["jitter"] as number;
    return {
      shape: (passage) => {
        if (!appliesTo(values["direction"], passage.direction)) return;
        passage.extraUs += by + (jitter > 0 ? random.below(jitter + 1) : 0);
      },
    };
  },
};

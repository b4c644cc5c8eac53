import { appliesTo, DIRECTION, type LinkFaultDefinition } from "../link-fault.js";

/** Nothing arrives for a while, then everything at once and in order. */
export const stall: LinkFaultDefinition = {
  description: "holds everything back and delivers it all at once",
  parameters: {
    hold: { kind: "duration", description: "how long nothing arrives, from the injection on" },
    direction: DIRECTION,
  },
  create: (values) => {
    let untilUs = 0;
    return {
      start: (_control, injectedUs) => {
        untilUs = injectedUs + (values["hold"] as number);
      },
      shape: (passage) => {
        if (!appliesTo(values["direction"], passage.direction)) return;
        if (passage.notBeforeUs < untilUs) passage.notBeforeUs = untilUs;
      },
    };
  },
};

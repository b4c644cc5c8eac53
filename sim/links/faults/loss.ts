import { appliesTo, DIRECTION, type LinkFaultDefinition } from "../link-fault.js";

/** TCP segments get lost: messages come late, never not at all. Combines with the profile's own loss. */
export const loss: LinkFaultDefinition = {
  description: "loses TCP segments, each of which costs a retransmission delay",
  parameters: {
    share: { kind: "share", description: "share of segments lost" },
    direction: DIRECTION,
  },
  create: (values) => {
    const share = values["share"] as number;
    return {
      shape: (passage) => {
        if (!appliesTo(values["direction"], passage.direction)) return;
        passage.loss = 1 - (1 - passage.loss) * (1 - share);
      },
    };
  },
};

import { appliesTo, DIRECTION, type LinkFaultDefinition } from "../link-fault.js";

/**
 * Swallows chosen PUBLISH packets, which no TCP link would: it exists so that a harness can prove that it
 * counts exactly. A PUBLISH is chosen when its position is listed, or when it passes the draw of `probability`
 * after `skip` packets, until `count` have been dropped. Positions count the PUBLISH packets of the chosen
 * directions from 0, retransmissions included.
 */
export const dropPublish: LinkFaultDefinition = {
  description: "silently swallows chosen PUBLISH packets",
  parameters: {
    direction: DIRECTION,
    count: { kind: "count", description: "drop at most so many", isOptional: true },
    skip: { kind: "count", description: "let so many pass first", default: 0 },
    probability: { kind: "share", description: "share dropped of those that qualify", default: 1 },
    positions: { kind: "positions", description: "drop exactly these, counted from 0", isOptional: true },
  },
  readsPackets: true,
  create: (values, random) => {
    const limit = (values["count"] as number | undefined) ?? Number.POSITIVE_INFINITY;
    const listed = values["positions"] as readonly number[] | undefined;
    const positions = listed === undefined ? undefined : new Set(listed);
    let position = 0;
    let dropped = 0;
    const isChosen = (at: number): boolean => {
      if (dropped >= limit) return false;
      if (positions !== undefined) return positions.has(at);
      return at >= (values["skip"] as number) && random.chance(values["probability"] as number);
    };
    return {
      shape: (passage) => {
        if (passage.packet?.type !== "publish") return;
        if (!appliesTo(values["direction"], passage.direction)) return;
        if (!isChosen(position++)) return;
        dropped += 1;
        passage.isSwallowed = true;
      },
    };
  },
};

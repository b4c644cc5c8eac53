import type { LinkFaultDefinition } from "../link-fault.js";

/** The server takes the CONNECT and its CONNACK never arrives. */
export const noConnack: LinkFaultDefinition = {
  description: "swallows every CONNACK",
  parameters: {},
  readsPackets: true,
  create: () => ({
    shape: (passage) => {
      if (passage.packet?.type === "connack") passage.isSwallowed = true;
    },
  }),
};

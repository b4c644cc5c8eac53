import { defineDeviceModel } from "./define.js";
import { agentContext, followingShadow, shadowAgent } from "./shadow-agent.js";

/** A device whose configuration lives in its shadow: `shadow: { name, applyTime }`. */
export const shadowDevice = defineDeviceModel({
  name: "shadow-device",
  description: "Takes its configuration from a shadow: applies each delta after a while and reports it.",
  machine: shadowAgent.createMachine({
    id: "shadow-device",
    context: ({ input }) => agentContext(input, true),
    ...followingShadow,
  }),
  isAnonymous: true,
  signals: {
    temperature: { shape: "sine", mean: 21, amplitude: 1.5, periodUs: 86_400e6, noise: 0.2, decimals: 1 },
    battery: { shape: "battery", start: 100, perDay: 0.3, perSample: 0.0001, decimals: 1 },
  },
});

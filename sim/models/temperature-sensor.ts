import { defineDeviceModel } from "./define.js";
import { agentContext, followingShadow, hasShadowBlock, shadowAgent } from "./shadow-agent.js";

const LOW_BATTERY_PERCENT = 15;
/** Samples one time in four while the battery is low. */
const SAVING_SLOWDOWN = 4;

/**
 * A room sensor. With a `shadow:` block it follows its shadow, where `reporting_interval`,
 * `reportingIntervalS` or `telemetry.everyS` (seconds) set how often it samples.
 */
export const temperatureSensor = defineDeviceModel({
  name: "temperature-sensor",
  description: "Measures temperature and humidity; samples less often while its battery is low.",
  machine: shadowAgent.createMachine({
    id: "temperature-sensor",
    context: ({ input }) => agentContext(input, hasShadowBlock(input)),
    type: "parallel",
    states: {
      config: followingShadow,
      power: {
        initial: "normal",
        states: {
          normal: {
            on: { THRESHOLD: { guard: ({ event }) => event.isBelow, target: "saving" } },
          },
          saving: {
            entry: { type: "telemetry", params: { slowdown: SAVING_SLOWDOWN } },
            exit: { type: "telemetry", params: { slowdown: 1 } },
            on: { THRESHOLD: { guard: ({ event }) => !event.isBelow, target: "normal" } },
          },
        },
      },
    },
  }),
  isAnonymous: true,
  signals: {
    temperature: { shape: "sine", mean: 21.5, amplitude: 1.5, periodUs: 86_400e6, noise: 0.3, decimals: 1 },
    humidity: { shape: "random-walk", start: 45, step: 0.8, min: 25, max: 70, decimals: 1 },
    battery: { shape: "battery", start: 100, perDay: 0.1, perSample: 0.0001, decimals: 2 },
  },
  thresholds: [{ signal: "battery", below: LOW_BATTERY_PERCENT }],
});

import { isJsonObject, type JsonObject, US_PER_MS } from "fleetrig/kernel";
import { shadowTopicPrefix } from "fleetrig/protocol";
import { assign, setup } from "xstate";
import type { DeviceSignalEvent, ModelInput } from "../model.js";
import {
  mergeConfiguration,
  reportingEveryUs,
  type ShadowSettings,
  shadowSettings,
} from "./configuration.js";
import { deviceEffects } from "./define.js";
import { quantileUs } from "./quantile.js";

/**
 * The part of a device that follows its shadow: take a delta, apply it after a while, report it. Both the
 * shadow device and the sensor are built on it.
 */
export interface ShadowAgentContext {
  readonly shadow: ShadowSettings;
  /** Follows a shadow at all; a sensor without a `shadow:` block does not. */
  readonly isFollowing: boolean;
  /** What the device runs with. */
  readonly config: JsonObject;
  /** Changes that are being applied. */
  readonly pending: JsonObject;
  /** Shadow version of the newest delta taken. */
  readonly version: number;
  readonly applyMs: number;
}

export const agentContext = (input: ModelInput, isFollowing: boolean): ShadowAgentContext => ({
  shadow: shadowSettings(input.settings),
  isFollowing,
  config: {},
  pending: {},
  version: 0,
  applyMs: 0,
});

export const hasShadowBlock = (input: ModelInput): boolean => isJsonObject(input.settings["shadow"]);

const APPLY_TIME = "shadow/apply-time";

/** An event of our own shadow, seen as a delta. */
const deltaOf = (context: ShadowAgentContext, event: DeviceSignalEvent) =>
  event.type === "DELTA" && event.shadowName === context.shadow.shadowName ? event : undefined;

const ofShadow = ({ shadow }: ShadowAgentContext): { shadowName?: string } =>
  shadow.shadowName === undefined ? {} : { shadowName: shadow.shadowName };

export const shadowAgent = setup({
  types: { context: {} as ShadowAgentContext, events: {} as DeviceSignalEvent, input: {} as ModelInput },
  actions: {
    ...deviceEffects,
    takeDelta: assign(({ context, event }) => {
      const delta = deltaOf(context, event);
      return delta === undefined ? {} : { pending: delta.state, version: delta.version };
    }),
    /** A shadow may have been deleted and begun anew while the device was away. */
    forgetVersion: assign({ version: 0 }),
    takeApplyTime: assign({
      applyMs: ({ context, event }) =>
        event.type === "DRAWN" ? quantileUs(context.shadow.applyTime, event.value) / US_PER_MS : 0,
    }),
    adopt: assign({ config: ({ context }) => mergeConfiguration(context.config, context.pending) }),
  },
  guards: {
    follows: ({ context }) => context.isFollowing,
    /** The same delta again must be answered again: the report may have been lost with the connection. */
    isCurrent: ({ context, event }) => (deltaOf(context, event)?.version ?? -1) >= context.version,
    isNewer: ({ context, event }) => (deltaOf(context, event)?.version ?? -1) > context.version,
    isApplyTime: ({ event }) => event.type === "DRAWN" && event.purpose === APPLY_TIME,
  },
  delays: { applyTime: ({ context }) => context.applyMs },
});

/** Steady, then drawing the time to apply, then applying; a newer delta starts over with what it says. */
export const followingShadow = shadowAgent.createStateConfig({
  initial: "steady",
  on: {
    CONNECTED: {
      guard: "follows",
      actions: [
        "forgetVersion",
        {
          type: "subscribe",
          params: ({ context }) => ({
            filters: ["update/delta", "get/accepted"].map(
              (suffix) => `${shadowTopicPrefix("{thingName}", context.shadow.shadowName)}/${suffix}`,
            ),
          }),
        },
        { type: "getShadow", params: ({ context }) => ofShadow(context) },
      ],
    },
  },
  states: {
    steady: {
      on: { DELTA: { guard: "isCurrent", target: "drawing", actions: "takeDelta" } },
    },
    drawing: {
      entry: { type: "draw", params: { purpose: APPLY_TIME } },
      on: {
        DRAWN: { guard: "isApplyTime", target: "applying", actions: "takeApplyTime" },
        DELTA: { guard: "isNewer", actions: "takeDelta" },
      },
    },
    applying: {
      on: { DELTA: { guard: "isNewer", target: "drawing", actions: "takeDelta" } },
      after: {
        applyTime: {
          target: "steady",
          actions: [
            "adopt",
            {
              type: "applyConfig",
              params: ({ context }) => ({ ...ofShadow(context), config: context.config }),
            },
            { type: "telemetry", params: ({ context }) => telemetryOf(context.pending) },
            {
              type: "reportShadow",
              params: ({ context }) => ({ ...ofShadow(context), reported: context.pending }),
            },
          ],
        },
      },
    },
  },
});

function telemetryOf(changes: JsonObject): { everyUs?: number } {
  const everyUs = reportingEveryUs(changes);
  return everyUs === undefined ? {} : { everyUs };
}

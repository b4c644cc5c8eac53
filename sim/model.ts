import type { JsonObject, JsonValue } from "fleetrig/kernel";
import type { AnyStateMachine } from "xstate";

/**
 * A device model is data: an xstate machine that decides, plus the signals it measures. The machine never does
 * anything itself; its actions are *effects by name* that the device carries out (see `DeviceEffect`), so one
 * machine runs on a virtual device, under a test, or beside a real board.
 *
 * The machine's input is `ModelInput`; the device sends it `DeviceSignalEvent`s. Delays may be computed from
 * context, and everything random must come in through input or events.
 */
export interface DeviceModel {
  readonly name: string;
  readonly description: string;
  readonly machine: AnyStateMachine;
  /** Measured values by name, sampled at each telemetry tick; `{state.<name>}` in templates. */
  readonly signals: Readonly<Record<string, SignalSpec>>;
  /** Signals that the machine hears of when they cross a limit; checked at each telemetry tick. */
  readonly thresholds?: readonly SignalThreshold[];
  /**
   * The machine never looks at `thingName` and `attributes`, which are empty then: devices of a group share
   * their initial state, which is most of what an idle device weighs.
   */
  readonly isAnonymous?: boolean;
  /** Faults that the machine understands; a scenario that injects another one into it is told so. */
  readonly faults?: readonly string[];
}

/** Tells the machine when a signal falls below a value. */
export interface SignalThreshold {
  readonly signal: string;
  readonly below: number;
}

/** What a machine may know of its device when it starts. */
export interface ModelInput {
  readonly thingName: string;
  readonly attributes: JsonObject;
  /** Model-specific settings of the group: the `shadow:`, `ota:` and `settings:` blocks. Durations in µs. */
  readonly settings: JsonObject;
}

/** Events that a device sends to its machine. A machine ignores what it does not name. */
export type DeviceSignalEvent =
  | { readonly type: "CONNECTED"; readonly sessionPresent: boolean }
  | { readonly type: "DISCONNECTED"; readonly reason: string }
  | { readonly type: "MESSAGE"; readonly topic: string; readonly payload: JsonValue }
  /** A shadow delta (or the delta of a get/accepted), with the shadow's version. */
  | {
      readonly type: "DELTA";
      readonly shadowName: string | undefined;
      readonly state: JsonObject;
      readonly version: number;
    }
  /** The job execution this device should look at: the answer to start-next. */
  | {
      readonly type: "JOB";
      readonly jobId: string;
      readonly document: JsonObject;
      readonly executionNumber: number;
      readonly versionNumber: number;
    }
  /** A job notification says that something is pending. */
  | { readonly type: "JOB_AVAILABLE" }
  | { readonly type: "JOB_REJECTED"; readonly jobId: string; readonly code: string }
  /** A draw of randomness asked for by the `draw` effect. */
  | { readonly type: "DRAWN"; readonly purpose: string; readonly value: number }
  /** A signal fell below one of the model's thresholds, or rose back to it. */
  | {
      readonly type: "THRESHOLD";
      readonly signal: string;
      readonly value: number;
      readonly isBelow: boolean;
    }
  /** A fault of the scenario applies to this device from now on, or no longer. */
  | { readonly type: "FAULT"; readonly fault: string; readonly active: boolean; readonly detail: JsonObject }
  /** `setState` of the scenario on something that is not a signal. */
  | { readonly type: "SET"; readonly values: JsonObject };

/** Effects a machine may name as actions; the `params` are the rest of the object. */
export type DeviceEffect =
  /** `{thingName}` in a filter stands for the device's name. */
  | { readonly type: "subscribe"; readonly params: { readonly filters: readonly string[] } }
  | {
      readonly type: "publish";
      readonly params: {
        readonly topic: string;
        readonly payload: JsonValue;
        readonly qos: 0 | 1;
        readonly retain?: boolean;
      };
    }
  /** Telemetry on, off, or at another interval (µs); `slowdown` stretches whatever interval is in force. */
  | {
      readonly type: "telemetry";
      readonly params: { readonly enabled?: boolean; readonly everyUs?: number; readonly slowdown?: number };
    }
  | { readonly type: "getShadow"; readonly params: { readonly shadowName?: string } }
  | {
      readonly type: "reportShadow";
      readonly params: { readonly shadowName?: string; readonly reported: JsonObject };
    }
  /** The configuration the device runs with from now on: ground truth for convergence. */
  | {
      readonly type: "applyConfig";
      readonly params: { readonly shadowName?: string; readonly config: JsonObject };
    }
  | {
      readonly type: "startNextJob";
      readonly params: { readonly statusDetails?: Readonly<Record<string, string>> };
    }
  | {
      readonly type: "updateJob";
      readonly params: {
        readonly jobId: string;
        readonly status: "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED";
        readonly statusDetails?: Readonly<Record<string, string>>;
        readonly executionNumber?: number;
      };
    }
  | { readonly type: "setFirmware"; readonly params: { readonly version: string } }
  /** Drops the link without DISCONNECT, stays away for `downUs`, then connects again. */
  | { readonly type: "reboot"; readonly params: { readonly downUs: number } }
  /** Disconnects in order and stays away until `comeBack`. */
  | { readonly type: "leave"; readonly params: Readonly<Record<string, never>> }
  /** Connects again after `leave`; does nothing otherwise. */
  | { readonly type: "comeBack"; readonly params: Readonly<Record<string, never>> }
  /** Leaves for good: never connects again. */
  | { readonly type: "goSilent"; readonly params: Readonly<Record<string, never>> }
  /** Asks for a number in [0, 1) from the device's stream of that purpose; answered by DRAWN. */
  | { readonly type: "draw"; readonly params: { readonly purpose: string } };

/** How one measured value moves over time. */
export type SignalSpec =
  | { readonly shape: "constant"; readonly value: number; readonly decimals?: number }
  | {
      readonly shape: "sine";
      readonly mean: number;
      readonly amplitude: number;
      readonly periodUs: number;
      readonly noise?: number;
      readonly decimals?: number;
    }
  | {
      readonly shape: "random-walk";
      readonly start: number;
      readonly step: number;
      readonly min: number;
      readonly max: number;
      readonly decimals?: number;
    }
  | {
      readonly shape: "sawtooth";
      readonly min: number;
      readonly max: number;
      readonly periodUs: number;
      readonly decimals?: number;
    }
  | {
      readonly shape: "replay";
      readonly values: readonly number[];
      readonly everyUs: number;
      readonly decimals?: number;
    }
  /** Falls by `perDay` of a full charge, plus `perSample` each time it is read. */
  | {
      readonly shape: "battery";
      readonly start: number;
      readonly perDay: number;
      readonly perSample: number;
      readonly decimals?: number;
    };

import type { JsonObject } from "fleetrig/kernel";
import {
  artifactFor,
  BUILTIN_MODELS,
  type DeviceModel,
  type DeviceSignalEvent,
  type Edge,
  type GroupPlan,
  type PathInput,
  type WalkState,
} from "fleetrig/sim";

/** What can happen to devices of a model, and how the group is set up in which it happens. */
export interface Alphabet {
  readonly model: DeviceModel;
  readonly inputs: readonly PathInput[];
  readonly isWorthwhile: (state: WalkState, input: PathInput, faults: number) => boolean;
  readonly essence: (context: unknown) => unknown;
  /** Transitions that no device can take, and why. */
  readonly unreachable: Readonly<Record<Edge, string>>;
  /** How much of the machine paths can cover; states that are left in the instant in which they are entered are none to rest in. */
  readonly covers: { readonly transitions: number; readonly restsIn: number };
  readonly attributes: JsonObject;
  /** What the group says of itself, where phases of an update take `updateMs` in all and a delta is applied after `applyMs`. */
  plan(times: {
    readonly updateMs: number;
    readonly applyMs: number;
    readonly everyMs: number;
  }): Partial<GroupPlan>;
}

const send = (name: string, event: DeviceSignalEvent): PathInput => ({ do: "send", name, event });

const LINK: readonly PathInput[] = [{ do: "connect" }, { do: "leave" }, { do: "cut" }];

const job = (name: string, document: JsonObject, jobId = "fw-2"): PathInput =>
  send(`job ${name}`, { type: "JOB", jobId, document, executionNumber: 3, versionNumber: 1 });

const rejection = (code: string, jobId = "fw-2"): PathInput =>
  send(`${jobId === "" ? "start-next" : jobId} rejected: ${code}`, { type: "JOB_REJECTED", jobId, code });

const FAULTS: readonly (readonly [fault: string, detail: JsonObject])[] = [
  ["ota.offline", {}],
  ["ota.rejected", {}],
  ["ota.download-stall", {}],
  ["ota.download-failed", {}],
  ["ota.verify-failed", {}],
  ["ota.flash-failed", {}],
  ["ota.boot-loop-rollback", {}],
  ["ota.hang", {}],
  ["ota.silent-after-reboot", {}],
  ["ota.silent-after-reboot", { report: "SUCCEEDED" }],
  ["ota.slow", { factor: 2 }],
];

const fault = ([name, detail]: (typeof FAULTS)[number], active: boolean): PathInput =>
  send(`${name} ${active ? JSON.stringify(detail) : "over"}`, {
    type: "FAULT",
    fault: name,
    active,
    detail: active ? detail : {},
  });

const sha256 = (version: string): string => artifactFor(version).sha256;

/** Faults in the context of the OTA device. */
const faultsOf = ({ snapshot }: WalkState): readonly string[] =>
  Object.keys((snapshot.context as { readonly faults: JsonObject }).faults);

/** So many faults at a time; one that is there may be set again. */
function isWorthwhileFault(state: WalkState, input: PathInput, faults: number): boolean {
  if (input.do !== "send" || input.event.type !== "FAULT") return true;
  const active = faultsOf(state);
  const isThere = active.includes(input.event.fault);
  return input.event.active ? isThere || active.length < faults : isThere;
}

const ota: Alphabet = {
  model: BUILTIN_MODELS["ota-device"]!,
  covers: { transitions: 64, restsIn: 14 },
  attributes: { firmware: "1.0.0" },
  isWorthwhile: isWorthwhileFault,
  essence: (context) => {
    const { firmware, job, blocksDone, faults } = context as Record<string, unknown>;
    return { firmware, job, blocksDone, faults };
  },
  unreachable: { "paused --JOB_REJECTED": "what comes by MQTT comes after CONNECTED, which ends the pause" },
  inputs: [
    job("update", { operation: "ota", version: "2.0.0", sha256: sha256("2.0.0") }),
    job("that is installed", { operation: "ota", version: "1.0.0", sha256: sha256("1.0.0") }),
    job("without a hash", { version: "3.0.0" }, "fw-3"),
    job("with an upper-case hash", { version: "2.0.0", sha256: sha256("2.0.0").toUpperCase() }, "fw-4"),
    job("with another hash", { operation: "ota", version: "2.0.0", sha256: "00ff" }),
    job("of another kind", { operation: "reboot" }),
    job("without a version", { operation: "ota" }, "fw-5"),
    job("with a number for a version", { operation: "ota", version: 2 }),
    job("with a version too long", { version: "9".repeat(65) }),
    send("job available", { type: "JOB_AVAILABLE" }),
    rejection("RequestThrottled", ""),
    rejection("InvalidStateTransition"),
    rejection("TerminalStateReached"),
    rejection("ResourceNotFound"),
    rejection("VersionMismatch"),
    rejection("RequestThrottled"),
    rejection("InvalidStateTransition", "another"),
    ...FAULTS.flatMap((each) => [fault(each, true), fault(each, false)]),
    ...LINK,
  ],
  plan: ({ updateMs }) => ({
    telemetry: [],
    settings: { ota: { executionTime: { dist: "constant", value: updateMs * 1_000 }, blockBytes: 16_384 } },
  }),
};

const delta = (name: string, version: number, state: JsonObject, shadowName?: string): PathInput =>
  send(`delta ${version} ${name}`, { type: "DELTA", shadowName, state, version });

const deltas = (shadowName: string | undefined): readonly PathInput[] => [
  delta("old", 1, { setpoint: 19, nested: { a: 1, b: { c: [] } } }, shadowName),
  delta("new", 2, { setpoint: 20, nested: { b: { d: 'é\n"' } } }, shadowName),
  delta("newer", 3, { nested: [null, true], "": 0.5 }, shadowName),
  delta("with an interval", 4, { reporting_interval: 0.4 }, shadowName),
  delta("with a bad interval", 5, { reporting_interval: "often", telemetry: { everyS: 0.3 } }, shadowName),
  delta("of another shadow", 9, { setpoint: 1 }, shadowName === undefined ? "other" : undefined),
];

const versionOf = (context: unknown): unknown => (context as { readonly version: number }).version;
const AT_ONCE = "the draw is answered at once";

const TELEMETRY = {
  stream: 0,
  name: "climate",
  phase: "aligned",
  topic: "site/{thingName}/t",
  qos: 1,
  retain: false,
  payload: { battery: "{state.battery}", seq: "{seq}" },
} as const;

const threshold = (value: number): PathInput =>
  send(`battery at ${value} %`, { type: "THRESHOLD", signal: "battery", value, isBelow: value < 15 });

const SIGNALS = { battery: { shape: "constant", value: 80, decimals: 0 } } as const;

const sensor: Alphabet = {
  model: BUILTIN_MODELS["temperature-sensor"]!,
  covers: { transitions: 7, restsIn: 4 },
  attributes: {},
  isWorthwhile: () => true,
  essence: versionOf,
  unreachable: { "config.drawing --DELTA": AT_ONCE },
  inputs: [...deltas(undefined), threshold(10), threshold(50), ...LINK],
  plan: ({ applyMs, everyMs }) => ({
    telemetry: [{ ...TELEMETRY, everyUs: everyMs * 1_000 }],
    signals: SIGNALS,
    settings: { shadow: { applyTime: { dist: "constant", value: applyMs * 1_000 } } },
  }),
};

const follower: Alphabet = {
  model: BUILTIN_MODELS["shadow-device"]!,
  covers: { transitions: 5, restsIn: 2 },
  attributes: {},
  isWorthwhile: () => true,
  essence: versionOf,
  unreachable: { "drawing --DELTA": AT_ONCE },
  inputs: [...deltas("config"), ...LINK],
  plan: ({ applyMs }) => ({
    telemetry: [],
    signals: SIGNALS,
    settings: { shadow: { name: "config", applyTime: { dist: "constant", value: applyMs * 1_000 } } },
  }),
};

/** The models whose logic boards have too. */
export const ALPHABETS: readonly Alphabet[] = [ota, sensor, follower];

/** How to look for paths through all of a model. */
export const searchOf = ({ model, inputs, isWorthwhile, essence }: Alphabet) => ({
  model,
  inputs,
  essence,
  isWorthwhile: (state: WalkState, input: PathInput): boolean => isWorthwhile(state, input, 1),
});

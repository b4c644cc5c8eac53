import { jobsTopicPrefix } from "fleetrig/protocol";
import { isJsonObject } from "fleetrig/kernel";
import { assign, raise, setup } from "xstate";
import type { DeviceSignalEvent, ModelInput } from "../model.js";
import { defineDeviceModel, deviceEffects } from "./define.js";
import {
  faultsAfter,
  hasFault,
  isImageIntact,
  type OtaContext,
  otaContext,
  otaJobOf,
} from "./ota-context.js";
import { planPhases } from "./ota-phases.js";

/**
 * Firmware update by AWS IoT Jobs. start-next makes an execution IN_PROGRESS; then the device downloads in
 * blocks, verifies, flashes, restarts into the new firmware, tests itself and commits, or rolls back.
 * Every fault `ota.*` ends or holds the update in the phase that gives it its name.
 */
const EXECUTION_TIME = "ota/execution-time";
const ASK_AGAIN_MS = 5_000;
/** Lets the last status leave before the link goes. */
const LEAVE_MS = 500;
/** A boot loop: the new image crashes that often before the boot loader takes the old one. */
const BOOT_ATTEMPTS = 3;
const SUBSCRIPTIONS = ["notify-next", "start-next/accepted", "start-next/rejected", "+/update/rejected"];
const GONE = new Set(["InvalidStateTransition", "TerminalStateReached", "ResourceNotFound"]);

type Status = "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED";

function jobStatus(context: OtaContext, status: Status, statusDetails: Readonly<Record<string, string>>) {
  const { jobId = "", executionNumber = 1 } = context.job ?? {};
  return { jobId, executionNumber, status, statusDetails };
}

const step = (name: string) =>
  ({
    type: "updateJob",
    params: ({ context }: { context: OtaContext }) => jobStatus(context, "IN_PROGRESS", { step: name }),
  }) as const;

const reportFirmware = {
  type: "reportShadow",
  params: ({ context }: { context: OtaContext }) => ({ reported: { firmware: context.firmware } }),
} as const;

const succeeded = {
  type: "updateJob",
  params: ({ context }: { context: OtaContext }) =>
    jobStatus(context, "SUCCEEDED", { firmware: context.job?.version ?? context.firmware }),
} as const;

const subscribe = {
  type: "subscribe",
  params: { filters: SUBSCRIPTIONS.map((suffix) => `${jobsTopicPrefix("{thingName}")}/${suffix}`) },
} as const;

const leave = { type: "leave", params: {} } as const;
const comeBack = { type: "comeBack", params: {} } as const;
const askForJob = { type: "startNextJob", params: {} } as const;

const rejected = (reason: string) =>
  ({
    type: "updateJob",
    params: ({ event }: { event: DeviceSignalEvent }) => ({
      jobId: event.type === "JOB" ? event.jobId : "",
      status: "REJECTED" as const,
      statusDetails: { reason },
      executionNumber: event.type === "JOB" ? event.executionNumber : 1,
    }),
  }) as const;

const ota = setup({
  types: { context: {} as OtaContext, events: {} as DeviceSignalEvent, input: {} as ModelInput },
  actions: {
    ...deviceEffects,
    noteFault: assign({ faults: ({ context, event }) => faultsAfter(context.faults, event) }),
    takeJob: assign({ job: ({ event }) => otaJobOf(event), blocksDone: 0, reason: "" }),
    planPhases: assign({
      phases: ({ context, event }) =>
        event.type === "DRAWN" ? planPhases(context.settings, context.faults, event.value) : context.phases,
    }),
    countBlock: assign({ blocksDone: ({ context }) => context.blocksDone + 1 }),
    blame: assign({ reason: (_, reason: string) => reason }),
    adoptFirmware: assign({ firmware: ({ context }) => context.job?.version ?? context.firmware }),
  },
  guards: {
    has: ({ context }, fault: string) => hasFault(context, fault),
    isOffline: ({ context }) => hasFault(context, "ota.offline"),
    sets: ({ event }, fault: string) => event.type === "FAULT" && event.fault === fault && event.active,
    clears: ({ event }, fault: string) => event.type === "FAULT" && event.fault === fault && !event.active,
    isUnsupported: ({ event }) => otaJobOf(event) === undefined,
    isInstalled: ({ context, event }) => otaJobOf(event)?.version === context.firmware,
    isExecutionTime: ({ event }) => event.type === "DRAWN" && event.purpose === EXECUTION_TIME,
    isHalfway: ({ context }, fault: string) =>
      hasFault(context, fault) && context.blocksDone + 1 >= context.phases.blocks / 2,
    isLastBlock: ({ context }) => context.blocksDone + 1 >= context.phases.blocks,
    isDamaged: ({ context }) => !isImageIntact(context),
    isThrottled: ({ event }) => event.type === "JOB_REJECTED" && event.code === "RequestThrottled",
    isGone: ({ context, event }) =>
      event.type === "JOB_REJECTED" && event.jobId === context.job?.jobId && GONE.has(event.code),
    claimsSuccess: ({ context }) => {
      const detail = context.faults["ota.silent-after-reboot"];
      return isJsonObject(detail) && detail["report"] === "SUCCEEDED";
    },
  },
  delays: {
    block: ({ context }) => context.phases.blockMs,
    verify: ({ context }) => context.phases.verifyMs,
    flash: ({ context }) => context.phases.flashMs,
    selfTest: ({ context }) => context.phases.selfTestMs,
  },
});

/** Waiting for work. `idle`, `healthy` and `failed` differ only in how the last update went. */
const ready = ota.createStateConfig({
  on: {
    CONNECTED: [{ guard: "isOffline", actions: leave }, { actions: [subscribe, askForJob] }],
    JOB_AVAILABLE: { actions: askForJob },
    JOB: [
      { guard: { type: "has", params: "ota.rejected" }, actions: rejected("refused-by-device") },
      { guard: "isUnsupported", actions: rejected("unsupported-document") },
      { guard: "isInstalled", target: "healthy", actions: ["takeJob", succeeded] },
      { target: "preparing", actions: "takeJob" },
    ],
    JOB_REJECTED: [
      {
        guard: "isThrottled",
        actions: raise({ type: "JOB_AVAILABLE" }, { delay: ASK_AGAIN_MS, id: "ask-again" }),
      },
      // The result came too late. The service may have queued a retry while the device was busy.
      { guard: "isGone", actions: askForJob },
    ],
    FAULT: [
      { guard: { type: "sets", params: "ota.offline" }, actions: ["noteFault", leave] },
      { guard: { type: "clears", params: "ota.offline" }, actions: ["noteFault", comeBack] },
      { actions: "noteFault" },
    ],
  },
});

/** The service has given the execution up: so does the device, while that is still harmless. */
const giveUp = { guard: "isGone", target: "idle", actions: askForJob } as const;

const machine = ota.createMachine({
  id: "ota-device",
  context: ({ input }) => otaContext(input),
  entry: { type: "setFirmware", params: ({ context }) => ({ version: context.firmware }) },
  initial: "idle",
  on: { FAULT: { actions: "noteFault" }, CONNECTED: { actions: subscribe } },
  states: {
    idle: ready,
    healthy: ready,
    failed: {
      ...ready,
      entry: {
        type: "updateJob",
        params: ({ context }) =>
          jobStatus(context, "FAILED", { reason: context.reason, firmware: context.firmware }),
      },
    },
    preparing: {
      entry: { type: "draw", params: { purpose: EXECUTION_TIME } },
      on: {
        DRAWN: {
          guard: "isExecutionTime",
          target: "downloading",
          actions: ["planPhases", step("downloading")],
        },
      },
    },
    downloading: {
      on: { DISCONNECTED: "paused", JOB_REJECTED: giveUp },
      after: {
        block: [
          { guard: { type: "isHalfway", params: "ota.download-stall" }, target: "stalled" },
          {
            guard: { type: "isHalfway", params: "ota.download-failed" },
            target: "failed",
            actions: { type: "blame", params: "download-failed" },
          },
          { guard: "isLastBlock", target: "verifying", actions: "countBlock" },
          { target: "downloading", reenter: true, actions: "countBlock" },
        ],
      },
    },
    paused: { on: { CONNECTED: { target: "downloading", actions: subscribe }, JOB_REJECTED: giveUp } },
    stalled: {
      on: {
        JOB_REJECTED: giveUp,
        FAULT: [
          {
            guard: { type: "clears", params: "ota.download-stall" },
            target: "downloading",
            actions: "noteFault",
          },
          { actions: "noteFault" },
        ],
      },
    },
    verifying: {
      entry: step("verifying"),
      on: { JOB_REJECTED: giveUp },
      after: {
        verify: [
          { guard: "isDamaged", target: "failed", actions: { type: "blame", params: "sha256-mismatch" } },
          { guard: { type: "has", params: "ota.hang" }, target: "hung" },
          { target: "flashing" },
        ],
      },
    },
    hung: {
      on: {
        FAULT: [
          { guard: { type: "clears", params: "ota.hang" }, target: "flashing", actions: "noteFault" },
          { actions: "noteFault" },
        ],
      },
    },
    flashing: {
      entry: step("flashing"),
      after: {
        flash: [
          {
            guard: { type: "has", params: "ota.flash-failed" },
            target: "failed",
            actions: { type: "blame", params: "flash-failed" },
          },
          { target: "leaving" },
        ],
      },
    },
    leaving: {
      entry: step("rebooting"),
      after: {
        [LEAVE_MS]: [
          {
            guard: "claimsSuccess",
            target: "silent",
            actions: succeeded,
          },
          { guard: { type: "has", params: "ota.silent-after-reboot" }, target: "silent" },
          { guard: { type: "has", params: "ota.boot-loop-rollback" }, target: "bootLooping" },
          { target: "rebooting" },
        ],
      },
    },
    rebooting: {
      entry: { type: "reboot", params: ({ context }) => ({ downUs: context.phases.downUs }) },
      on: {
        CONNECTED: {
          target: "selfTesting",
          actions: [
            "adoptFirmware",
            { type: "setFirmware", params: ({ context }) => ({ version: context.firmware }) },
            subscribe,
          ],
        },
      },
    },
    bootLooping: {
      entry: { type: "reboot", params: ({ context }) => ({ downUs: context.phases.downUs * BOOT_ATTEMPTS }) },
      on: {
        CONNECTED: {
          target: "failed",
          actions: [subscribe, reportFirmware, { type: "blame", params: "boot-loop-rollback" }],
        },
      },
    },
    selfTesting: {
      after: { selfTest: { target: "healthy", actions: [reportFirmware, succeeded] } },
    },
    silent: {
      entry: [
        { type: "reboot", params: ({ context }) => ({ downUs: context.phases.downUs }) },
        { type: "goSilent", params: {} },
      ],
    },
  },
});

export const otaDevice = defineDeviceModel({
  name: "ota-device",
  description:
    "Updates its firmware by IoT Jobs: download, verify, flash, reboot, self-test, commit or roll back.",
  machine,
  signals: {
    battery: { shape: "battery", start: 100, perDay: 1.5, perSample: 0.001, decimals: 1 },
    rssi: { shape: "random-walk", start: -78, step: 3, min: -110, max: -55, decimals: 0 },
  },
  faults: [
    "ota.offline",
    "ota.rejected",
    "ota.download-stall",
    "ota.download-failed",
    "ota.verify-failed",
    "ota.flash-failed",
    "ota.boot-loop-rollback",
    "ota.hang",
    "ota.silent-after-reboot",
    "ota.slow",
  ],
});

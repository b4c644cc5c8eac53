import { artifactFor, BUILTIN_MODELS, corruptedArtifactFor, type DeviceSignalEvent } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { explore, type Stimulus, type Subject, subject, TIMER } from "./exploration.js";

const model = BUILTIN_MODELS["ota-device"]!;
const S = 1_000_000;
/** 100 s per update; two blocks, so that the walk stays small. */
const settings = { ota: { executionTime: { dist: "constant", value: 100 * S }, blockBytes: 65_536 } };

const connected: DeviceSignalEvent = { type: "CONNECTED", sessionPresent: false };
const job = (version = "2.0.0", more = {}): DeviceSignalEvent => ({
  type: "JOB",
  jobId: "fw",
  document: { operation: "ota", version, sha256: artifactFor(version).sha256, ...more },
  executionNumber: 1,
  versionNumber: 2,
});
const fault = (name: string, active = true, detail = {}): DeviceSignalEvent => ({
  type: "FAULT",
  fault: `ota.${name}`,
  active,
  detail,
});

const alphabet: Readonly<Record<string, Stimulus>> = {
  CONNECTED: connected,
  DISCONNECTED: { type: "DISCONNECTED", reason: "reset" },
  JOB: job(),
  JOB_AVAILABLE: { type: "JOB_AVAILABLE" },
  JOB_GONE: { type: "JOB_REJECTED", jobId: "fw", code: "InvalidStateTransition" },
  TIMER,
};

const happyMoves = [
  "idle JOB downloading",
  "downloading DISCONNECTED paused",
  "paused CONNECTED downloading",
  "downloading JOB_GONE idle",
  "paused JOB_GONE idle",
  "downloading TIMER verifying",
  "verifying JOB_GONE idle",
  "verifying TIMER flashing",
  "flashing TIMER leaving",
  "leaving TIMER rebooting",
  "rebooting CONNECTED selfTesting",
  "selfTesting TIMER healthy",
];

/** Everything that may happen under one fault, beyond or instead of the healthy course. */
const faultMoves: readonly [fault: string, without: readonly string[], instead: readonly string[]][] = [
  ["rejected", happyMoves, []],
  ["download-stall", happyMoves.slice(5), ["downloading TIMER stalled", "stalled JOB_GONE idle"]],
  ["download-failed", happyMoves.slice(5), ["downloading TIMER failed", "failed JOB downloading"]],
  ["verify-failed", happyMoves.slice(7), ["verifying TIMER failed", "failed JOB downloading"]],
  ["hang", happyMoves.slice(7), ["verifying TIMER hung"]],
  ["flash-failed", happyMoves.slice(8), ["flashing TIMER failed", "failed JOB downloading"]],
  [
    "boot-loop-rollback",
    happyMoves.slice(9),
    ["leaving TIMER bootLooping", "bootLooping CONNECTED failed", "failed JOB downloading"],
  ],
  ["silent-after-reboot", happyMoves.slice(9), ["leaving TIMER silent"]],
  ["slow", [], []],
];

/** Runs one update to its end, answering a reboot with a new connection. */
function update(...before: readonly Stimulus[]): Subject {
  const device = subject(model, settings);
  for (const stimulus of [connected, ...before, job()]) device.send(stimulus);
  for (let i = 0; i < 40 && device.time.heap.size > 0; i += 1) device.send(TIMER);
  if (["rebooting", "bootLooping"].includes(device.runner.state)) {
    device.send(connected);
    device.send(TIMER);
  }
  return device;
}

const statuses = (device: Subject): unknown[] =>
  device.params.filter(({ type }) => type === "updateJob").map(({ params }) => params);

describe("ota-device", () => {
  it("has exactly these moves while healthy; every other event leaves its state unchanged", () => {
    const { moves } = explore({ model, settings, alphabet, depth: 12 });
    expect([...moves].sort()).toEqual(happyMoves.toSorted());
  });

  it.each(faultMoves)("has exactly these moves under the fault ota.%s", (name, without, instead) => {
    const { moves } = explore({ model, settings, given: [fault(name)], alphabet, depth: 12 });
    const expected = happyMoves.filter((move) => !without.includes(move));
    expect([...moves].sort()).toEqual([...expected, ...instead].sort());
  });

  it("reaches every state of its machine under some fault", () => {
    const reached = new Set<string>();
    for (const name of ["none", ...faultMoves.map(([each]) => each)]) {
      const walk = explore({ model, settings, given: [fault(name)], alphabet, depth: 12 });
      for (const state of walk.paths.keys()) reached.add(state);
    }
    const transient = ["preparing"];
    expect([...reached, ...transient].sort()).toEqual(Object.keys(model.machine.root.states).sort());
  });

  it("takes the drawn execution time from IN_PROGRESS to SUCCEEDED, reboot and LEAVE included", () => {
    const device = update();
    expect(device.runner.state).toBe("healthy");
    const downS = 12;
    const leaveS = 0.5;
    expect(device.time.nowUs() / S).toBeCloseTo(100 - downS + leaveS, 3);
  });

  it("reports each phase, then the new firmware, in its shadow and as its own", () => {
    const device = update();
    expect(statuses(device)).toMatchObject([
      { jobId: "fw", executionNumber: 1, status: "IN_PROGRESS", statusDetails: { step: "downloading" } },
      { status: "IN_PROGRESS", statusDetails: { step: "verifying" } },
      { status: "IN_PROGRESS", statusDetails: { step: "flashing" } },
      { status: "IN_PROGRESS", statusDetails: { step: "rebooting" } },
      { status: "SUCCEEDED", statusDetails: { firmware: "2.0.0" } },
    ]);
    const named = (type: string): unknown[] =>
      device.params.filter((e) => e.type === type).map((e) => e.params);
    expect(named("setFirmware")).toEqual([{ version: "1.0.0" }, { version: "2.0.0" }]);
    expect(named("reportShadow")).toEqual([{ reported: { firmware: "2.0.0" } }]);
    expect(named("reboot")).toEqual([{ downUs: 12 * S }]);
  });

  it.each([
    ["download-failed", "download-failed"],
    ["verify-failed", "sha256-mismatch"],
    ["flash-failed", "flash-failed"],
    ["boot-loop-rollback", "boot-loop-rollback"],
  ])("reports FAILED with the old firmware under ota.%s", (name, reason) => {
    const device = update(fault(name));
    expect(device.runner.state).toBe("failed");
    expect(statuses(device).at(-1)).toMatchObject({
      status: "FAILED",
      statusDetails: { reason, firmware: "1.0.0" },
    });
    expect(device.params.filter((e) => e.type === "setFirmware")).toHaveLength(1);
  });

  it.each(["download-failed", "verify-failed", "flash-failed"])(
    "keeps the execution time when ota.%s ends the update early",
    (name) => {
      expect(update(fault(name)).time.nowUs() / S).toBeCloseTo(100, 3);
    },
  );

  it("is away under ota.offline and asks for no job, until the fault is over", () => {
    const device = subject(model, settings);
    for (const stimulus of [fault("offline"), connected]) device.send(stimulus);
    expect(device.effects.slice(1)).toEqual(["leave", "leave"]);
    device.send(fault("offline", false));
    device.send(connected);
    expect(device.effects.slice(3)).toEqual(["comeBack", "subscribe", "startNextJob"]);
  });

  it("answers REJECTED under ota.rejected and to documents that it does not understand", () => {
    for (const device of [update(fault("rejected"))]) {
      expect(statuses(device)).toMatchObject([
        { status: "REJECTED", statusDetails: { reason: "refused-by-device" } },
      ]);
    }
    for (const document of [{ operation: "reboot" }, { version: 7 }, { version: "x".repeat(65) }]) {
      const device = subject(model, settings);
      device.send({ type: "JOB", jobId: "j", document, executionNumber: 3, versionNumber: 1 });
      expect(statuses(device)).toEqual([
        {
          jobId: "j",
          executionNumber: 3,
          status: "REJECTED",
          statusDetails: { reason: "unsupported-document" },
        },
      ]);
    }
  });

  it.each([
    ["download-stall", "stalled"],
    ["hang", "hung"],
  ])("holds in IN_PROGRESS under ota.%s and goes on when the fault ends", (name, state) => {
    const device = update(fault(name));
    expect(device.runner.state).toBe(state);
    expect(statuses(device).at(-1)).toMatchObject({ status: "IN_PROGRESS" });
    device.send(fault(name, false));
    for (let i = 0; i < 10 && device.time.heap.size > 0; i += 1) device.send(TIMER);
    expect(device.runner.state).toBe("rebooting");
  });

  it.each([
    [{}, "IN_PROGRESS"],
    [{ report: "SUCCEEDED" }, "SUCCEEDED"],
  ])("is never heard of again under ota.silent-after-reboot with %j", (detail, last) => {
    const device = update(fault("silent-after-reboot", true, detail));
    expect(statuses(device).at(-1)).toMatchObject({ status: last });
    expect(device.effects.at(-1)).toBe("goSilent");
    const count = device.effects.length;
    device.send(job("3.0.0"));
    expect([device.runner.state, device.effects.length]).toEqual(["silent", count]);
  });

  it("takes five times as long under ota.slow, or the factor that the fault gives", () => {
    expect(update(fault("slow")).time.nowUs() / S).toBeCloseTo(5 * 88 + 0.5, 3);
    expect(update(fault("slow", true, { factor: 2 })).time.nowUs() / S).toBeCloseTo(2 * 88 + 0.5, 3);
  });

  it("answers SUCCEEDED at once when it already runs the version, as after a lost report", () => {
    const device = subject(model, settings);
    device.send(job("1.0.0"));
    expect(statuses(device)).toMatchObject([{ status: "SUCCEEDED", statusDetails: { firmware: "1.0.0" } }]);
  });

  it("asks again 5 s after start-next was throttled", () => {
    const device = subject(model, settings);
    device.send({ type: "JOB_REJECTED", jobId: "", code: "RequestThrottled" });
    expect(device.effects).not.toContain("startNextJob");
    device.time.advance(5 * S);
    expect(device.effects).toContain("startNextJob");
  });

  it("fails on a hash that is not the artifact's, whoever is to blame", () => {
    const device = subject(model, settings);
    device.send(job("2.0.0", { sha256: "00" }));
    for (let i = 0; i < 9; i += 1) device.send(TIMER);
    expect(statuses(device).at(-1)).toMatchObject({ statusDetails: { reason: "sha256-mismatch" } });
  });
});

describe("artifacts", () => {
  it("have one hash per version, another one when damaged", () => {
    expect(artifactFor("1.0")).toEqual({ bytes: 65_536, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(artifactFor("1.0")).toBe(artifactFor("1.0"));
    const hashes = [artifactFor("1.0"), artifactFor("1.1"), corruptedArtifactFor("1.0")].map((a) => a.sha256);
    expect(new Set(hashes).size).toBe(3);
  });

  it("asks again when its result comes too late: the service may have queued a retry", () => {
    const device = update();
    const asked = () => device.params.filter(({ type }) => type === "startNextJob").length;
    const before = asked();
    device.send({ type: "JOB_REJECTED", jobId: "other", code: "InvalidStateTransition" });
    expect(asked()).toBe(before);
    device.send({ type: "JOB_REJECTED", jobId: "fw", code: "InvalidStateTransition" });
    expect(asked()).toBe(before + 1);
    device.send({ ...job(), executionNumber: 2 } as DeviceSignalEvent);
    expect(statuses(device).at(-1)).toMatchObject({ status: "SUCCEEDED", executionNumber: 2 });
  });
});

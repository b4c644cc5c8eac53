import type { JsonObject } from "fleetrig/kernel";
import { artifactFor } from "fleetrig/sim";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { firmwareImage } from "./compiled-board.js";
import { S, TwinRig, UPDATE_MODES } from "./twin-rig.js";

/** 20 s for an update; constant, so that both twins draw the same. */
const trackers = {
  model: "ota-device",
  attributes: () => ({ firmware: "1.0.0" }),
  settings: { ota: { executionTime: { dist: "constant", value: 20 * S }, blockBytes: 16_384 } },
  telemetry: [],
  reconnect: { policy: "constant", baseUs: S, capUs: S, resetAfterUs: S },
} as const;

/** Of the test with the longest breath; each is another place in the update. */
const POWER_CUTS = Number(process.env["FLEETRIG_FIRMWARE_POWER_CUTS"] ?? 25);

const THINGS = ["twins-0", "twins-1"] as const;

function rollOut(rig: TwinRig, document: JsonObject, jobId = "fw"): TwinRig {
  rig.cloud.jobs.createJob({
    jobId,
    targets: [...THINGS],
    document,
    timeoutConfig: { inProgressTimeoutInMinutes: 600 },
  });
  return rig;
}

const update = (version = "2.0.0"): JsonObject => ({
  operation: "ota",
  version,
  sha256: artifactFor(version).sha256,
});

/** Statuses of a twin's executions with their details. */
const statuses = (rig: TwinRig, thing: string): readonly unknown[] =>
  rig.told(thing as "twins-0", ["job.execution"]).map((event) => {
    const { jobId, status, statusDetails } = event as Record<string, unknown>;
    return { jobId, status, statusDetails };
  });

function agree(rig: TwinRig): void {
  expect(rig.boardTold).toEqual(rig.virtualTold);
  expect(statuses(rig, "twins-1")).toEqual(statuses(rig, "twins-0"));
  expect(rig.reported("twins-1")).toEqual(rig.reported("twins-0"));
}

describe.skipIf(lacksCompiler)("the firmware's OTA device beside its virtual twin", () => {
  it("installs a firmware in the same states at the same times", () => {
    const rig = rollOut(new TwinRig(trackers).start().advance(3), update()).advance(60);
    agree(rig);
    expect(rig.modes("twins-1")).toEqual(UPDATE_MODES);
    expect(rig.reported("twins-1")).toEqual({ firmware: "2.0.0" });
    expect(rig.board.restarts).toEqual(["SW_CPU_RESET"]);
    expect(rig.board.logs).toContainEqual(expect.stringContaining("ota: downloading 3/4"));
    const timesOf = (thing: string) =>
      rig.events.flatMap((event) =>
        event.type === "device.mode" && event.thing === thing ? [event.atUs] : [],
      );
    const [virtual, board] = [timesOf("twins-0"), timesOf("twins-1")];
    for (const [place, atUs] of board.entries())
      expect(Math.abs(atUs - virtual[place]!)).toBeLessThan(100_000);
  });

  it.each([
    ["ota.rejected", {}],
    ["ota.download-stall", {}],
    ["ota.download-failed", {}],
    ["ota.verify-failed", {}],
    ["ota.flash-failed", {}],
    ["ota.boot-loop-rollback", {}],
    ["ota.hang", {}],
    ["ota.silent-after-reboot", {}],
    ["ota.silent-after-reboot", { report: "SUCCEEDED" }],
    ["ota.slow", { factor: 3 }],
    ["ota.offline", {}],
  ])("behaves alike under %s %j, and when it is over", (fault, detail) => {
    const rig = new TwinRig(trackers).start().advance(3);
    rig.both((member) => expect(member.setFault(fault, true, detail)).toBe(true)).advance(1);
    rollOut(rig, update()).advance(90);
    agree(rig);
    rig.both((member) => member.setFault(fault, false, {})).advance(60);
    rollOut(rig, update("3.0.0"), "fw-3").advance(90);
    agree(rig);
  });

  it.each([
    ["is no update", { operation: "reboot" }],
    ["names no version", { operation: "ota" }],
    ["is installed already", { operation: "ota", version: "1.0.0" }],
    ["promises another hash", { version: "2.0.0", sha256: "00" }],
    ["promises no hash", { version: "2.0.0" }],
  ])("treats a document alike that %s", (_name, document) => {
    agree(rollOut(new TwinRig(trackers).start().advance(3), document).advance(60));
  });

  it("pauses a download without a connection, and gives it up when the service does", () => {
    const rig = rollOut(new TwinRig(trackers).start().advance(3), update()).advance(4);
    rig.both((member) => member.disconnect("ungraceful", 5 * S, "a1")).advance(10);
    rig.cloud.jobs.cancelJob({ jobId: "fw", force: true });
    rig.advance(60);
    agree(rig);
    expect(rig.modes("twins-1").slice(0, 3)).toEqual(["downloading", "paused", "downloading"]);
  });
});

const IMAGE = firmwareImage("2.0.0", 20_000);
const sha256Of = (image: Buffer): string => createHash("sha256").update(image).digest("hex");

/** A job whose image is a stream of the cloud's. */
function streamed(
  rig: TwinRig,
  image = IMAGE,
  { sha256 = sha256Of(image), version = "2.0.0" } = {},
): TwinRig {
  const stream = `fw-${version.replaceAll(".", "_")}`;
  rig.cloud.management.artifacts.store.put({ bucket: "firmware", key: version }, image);
  rig.cloud.management.streams.create({
    streamId: stream,
    files: [{ fileId: 0, s3Location: { bucket: "firmware", key: version } }],
    roleArn: "arn:aws:iam::123456789012:role/streams",
  });
  return rollOut(rig, { operation: "ota", version, stream, sha256 }, stream);
}

const real = {
  ...trackers,
  settings: { ota: { executionTime: { dist: "constant", value: 20 * S }, blockBytes: 1024 } },
} as const;
const ofBoard = (rig: TwinRig): readonly unknown[] =>
  statuses(rig, "twins-1").map((event) => (event as JsonObject)["status"]);

describe.skipIf(lacksCompiler)("the firmware's OTA device with an image", () => {
  it("downloads it, starts it and confirms it", () => {
    const rig = streamed(new TwinRig(real).start().advance(3)).advance(60);
    expect(rig.modes("twins-1")).toEqual(UPDATE_MODES);
    expect(ofBoard(rig).at(-1)).toBe("SUCCEEDED");
    expect(rig.board.logs).toContainEqual(expect.stringContaining("ota: downloading 20/20"));
    rig.board.reset();
    rig.advance(5);
    expect(rig.board.restarts).toEqual(["SW_CPU_RESET", "POWERON"]);
    expect(rig.modes("twins-1").at(-1)).toBe("healthy");
  });

  it.each([
    ["another hash than promised", IMAGE, "ab".repeat(32), "sha256-mismatch"],
    ["something that is no image", Buffer.alloc(9_000, "x"), undefined, "flash-failed"],
    ["more than fits a slot", Buffer.alloc(300_000, 1), undefined, "download-failed"],
  ])("fails with %s, and goes on with the old one", (_name, image, sha256, reason) => {
    const rig = new TwinRig(real).start().advance(3);
    streamed(rig, image, { sha256 }).advance(60);
    expect(statuses(rig, "twins-1").at(-1)).toMatchObject({
      status: "FAILED",
      statusDetails: { reason, firmware: "1.0.0" },
    });
    expect(rig.board.restarts).toEqual([]);
    expect(rig.members.board.isOnline).toBe(true);
  });

  it("falls back to the old image when the new one crashes before it is confirmed", () => {
    const rig = new TwinRig(real).start().advance(3);
    rig.members.board.setFault("ota.boot-loop-rollback", true, {});
    streamed(rig).advance(60);
    expect(rig.modes("twins-1").slice(-2)).toEqual(["bootLooping", "failed"]);
    expect(statuses(rig, "twins-1").at(-1)).toMatchObject({
      status: "FAILED",
      statusDetails: { reason: "boot-loop-rollback", firmware: "1.0.0" },
    });
    const boots = rig.board.logs.flatMap((line) => /slot (\d)/.exec(line)?.[1] ?? []);
    expect(boots.join("")).toMatch(/^01{3,4}0$/);
  });

  it("keeps an image whose update was forgotten, because the board became another member, once it is online", () => {
    const rig = streamed(new TwinRig(real).start().advance(3));
    for (let n = 0; n < 600 && rig.modes("twins-1").at(-1) !== "selfTesting"; n += 1) rig.advance(0.1);
    rig.board.command("configure", { thing: "twins-1", model: "ota-device" });
    rig.board.command("start", { at: 0 });
    rig.advance(5);
    for (let n = 0; n < 5; n += 1) {
      rig.board.reset();
      rig.advance(2);
    }
    const boots = rig.board.logs.flatMap((line) => /slot (\d)/.exec(line)?.[1] ?? []);
    expect(boots.join("")).toBe("0111111");
  });

  it("fails a damaged download", () => {
    const rig = new TwinRig(real).start().advance(3);
    rig.members.board.setFault("ota.verify-failed", true, {});
    streamed(rig).advance(60);
    expect(statuses(rig, "twins-1").at(-1)).toMatchObject({
      status: "FAILED",
      statusDetails: { reason: "sha256-mismatch" },
    });
  });

  it("goes on behind what it has after a reset in the middle of the download", () => {
    const rig = streamed(new TwinRig(real).start().advance(3)).advance(6);
    rig.board.reset();
    rig.advance(60);
    expect(rig.modes("twins-1").slice(0, 2)).toEqual(["downloading", "downloading"]);
    expect(rig.board.logs).toContainEqual(expect.stringMatching(/ota: \d+ of 20 blocks are here already/));
    expect(rig.board.events).toContainEqual(
      expect.objectContaining({ ev: "marker", name: "ota.resumed-at-block" }),
    );
    expect(ofBoard(rig).at(-1)).toBe("SUCCEEDED");
  });

  it("goes on after a reset wherever that is, also when blocks come later than their time", () => {
    const ota = { executionTime: { dist: "constant", value: 2 * S }, blockBytes: 1024 };
    for (let afterMs = 100; afterMs < 2_000; afterMs += 100) {
      const rig = new TwinRig({ ...real, settings: { ota } }).start().advance(3);
      rig.members.board.setFault("link.latency", true, { by: "100ms" });
      streamed(rig).advance(afterMs / 1_000);
      rig.board.reset();
      rig.advance(120);
      expect([afterMs, ofBoard(rig).at(-1)]).toEqual([afterMs, "SUCCEEDED"]);
      rig.board.close();
    }
  });

  it("ends every update that loses its connection, wherever that is", () => {
    for (let afterMs = 0; afterMs < 1_500; afterMs += 50) {
      const rig = new TwinRig(real).start().advance(3);
      rig.members.board.setFault("link.latency", true, { by: "60ms" });
      streamed(rig).advance(afterMs / 1_000);
      rig.members.board.disconnect("ungraceful", 0, "cut");
      rig.advance(120);
      expect([afterMs, ofBoard(rig).at(-1)]).toEqual([afterMs, "SUCCEEDED"]);
      rig.board.close();
    }
  });

  it.each([0, 5, 40])(
    "takes nothing of an older image for its own when power fails while it erases that: sector %i",
    (sectors) => {
      const rig = streamed(new TwinRig(real).start().advance(3)).advance(60);
      rig.members.board.setFault("link.latency", true, { by: "60ms" });
      streamed(rig, firmwareImage("3.0.0", 20_000), { version: "3.0.0" });
      for (let n = 0; n < 100 && rig.modes("twins-1").at(-1) !== "downloading"; n += 1) rig.advance(0.01);
      rig.board.cutPower(sectors);
      rig.advance(120);
      expect(rig.board.restarts).toEqual(["SW_CPU_RESET", "POWERON", "SW_CPU_RESET"]);
      expect(ofBoard(rig).at(-1)).toBe("SUCCEEDED");
      expect(rig.reported("twins-1")).toEqual({ firmware: "3.0.0" });
    },
  );

  it("ends every update that a power cut interrupts, wherever it comes", () => {
    for (let bytes = 1; bytes < 24_000; bytes += Math.floor(24_000 / POWER_CUTS)) {
      const rig = streamed(new TwinRig(real).start().advance(3));
      rig.board.cutPower(bytes);
      rig.advance(120);
      expect([bytes, ofBoard(rig).at(-1)]).toEqual([bytes, "SUCCEEDED"]);
      expect(rig.reported("twins-1")).toEqual({ firmware: "2.0.0" });
      rig.board.close();
    }
  });
});

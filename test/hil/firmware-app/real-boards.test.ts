import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCloudServer } from "fleetrig/broker";
import { buildFirmware, type FirmwareTarget, imageWithVersion } from "fleetrig/hil";
import type { JsonObject } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import { FIRMWARE_BUILDS, lacksCompiler, lacksEmulator } from "../../rigs.js";
import { FREE_PORTS } from "../../cloud-server/cloud-bench.js";
import { BridgedBoard, configuration } from "../micropython/bridged-board.js";
import { temporaryFolder, until } from "../virtual/rig.js";
import { UPDATE_MODES } from "./twin-rig.js";

const TELEMETRY = {
  s: 0,
  tag: "r1.0.0.",
  everyUs: 100_000,
  offsetUs: 10_000,
  topic: "site/t1/t",
  qos: 1,
  retain: false,
  payload: '{"seq":{seq}}',
};

const TARGETS = [
  { target: "rv32", kind: "rv32", isMissing: lacksEmulator },
  { target: "native-sanitized", kind: "native", isMissing: lacksCompiler },
] as const;

async function open(target: FirmwareTarget, kind: "rv32" | "native") {
  const { image } = await buildFirmware({ target, outDir: FIRMWARE_BUILDS });
  const server = await createCloudServer({
    ports: { ...FREE_PORTS, mqtts: "off", tls: "off", https: "off" },
  });
  onTestFinished(() => server.stop());
  const { cloud } = server;
  cloud.registry.createThing({ thingName: "t1" });
  const arrived: number[] = [];
  cloud.broker.addHooks({
    message: (message) => {
      if (message.topic === "site/t1/t")
        arrived.push((JSON.parse(Buffer.from(message.payload).toString()) as { seq: number }).seq);
      return "broker";
    },
  });
  const stateFolder = join(temporaryFolder(), "state");
  const brokerPort = server.port("mqtt")!;
  const board = await BridgedBoard.open({ kind, encoding: "cobs", firmware: image, stateFolder, brokerPort });
  return { server, cloud, board, arrived, image: readFileSync(image) };
}

const modes = (board: BridgedBoard): unknown[] => board.ofKind("mode").map(({ mode }) => mode);

describe.each(TARGETS)("the device logic on a board built for $target", ({ target, kind, isMissing }) => {
  it.skipIf(isMissing)(
    "sends telemetry, crashes, and goes on without losing one",
    { timeout: 120_000 },
    async () => {
      const { board, arrived } = await open(target, kind);
      await board.begin(configuration("t1", { telemetry: [TELEMETRY] }));
      await until(() => arrived.length > 10, 20_000);
      board.link.command("crash", { kind: "load-fault" }).catch(() => undefined);
      await until(() => board.restarts === 1 && board.link.isOpen, 20_000);
      const before = arrived.length;
      await until(() => arrived.length > before + 10, 20_000);
      const known = [...new Set(arrived)].toSorted((a, b) => a - b);
      expect(known).toEqual(known.map((_, place) => place));
      expect(board.text).toContain("mqtt: connected as t1");
    },
  );

  it.skipIf(isMissing)(
    "updates itself from a stream of the cloud, and says its new version",
    { timeout: 180_000 },
    async () => {
      const { cloud, board, image } = await open(target, kind);
      const update = imageWithVersion(image, "1.1.0");
      const ota: JsonObject = { executionTime: { dist: "constant", value: 2_000_000 }, blockBytes: 4_096 };
      await board.begin(configuration("t1", { model: "ota-device", ota }));
      await until(() => board.ofKind("connection").some(({ kind: what }) => what === "open"), 20_000);
      cloud.management.artifacts.store.put({ bucket: "firmware", key: "1.1.0" }, update);
      cloud.management.streams.create({
        streamId: "fw-1_1_0",
        files: [{ fileId: 3, s3Location: { bucket: "firmware", key: "1.1.0" } }],
        roleArn: "arn:aws:iam::123456789012:role/streams",
      });
      cloud.jobs.createJob({
        jobId: "fw",
        targets: ["t1"],
        document: {
          operation: "ota",
          version: "1.1.0",
          stream: "fw-1_1_0",
          sha256: createHash("sha256").update(update).digest("hex"),
        },
      });
      await until(
        () => modes(board).includes("healthy") || modes(board).includes("failed"),
        120_000,
        () => `${JSON.stringify(modes(board))} ${board.text.slice(-2_000)}`,
      );
      expect(modes(board)).toEqual(UPDATE_MODES);
      expect(board.hellos.at(-1)).toMatchObject({ version: "1.1.0", reset: "SW_CPU_RESET", thing: "t1" });
      await board.board.power(false);
      await board.board.power(true);
      await until(() => board.restarts === 2 && board.link.isOpen, 20_000);
      expect(board.hellos.at(-1)).toMatchObject({ version: "1.1.0", reset: "POWERON" });
    },
  );
});

describe.skipIf(lacksCompiler)("a board with a network of its own", () => {
  it("connects by the credentials it was given, and again after a restart, before the bench has spoken", {
    timeout: 120_000,
  }, async () => {
    const { server, board, arrived } = await open("native-sanitized", "native");
    await board.link.command("credentials", { host: "127.0.0.1", port: server.port("mqtt")! });
    await board.begin(configuration("t1", { path: "direct", telemetry: [TELEMETRY] }));
    await until(() => arrived.length > 5, 20_000);
    board.link.stop();
    const before = arrived.length;
    await board.board.reset();
    await until(() => arrived.length > before + 10, 20_000);
    const known = [...new Set(arrived)].toSorted((a, b) => a - b);
    expect(known).toEqual(known.map((_, place) => place));
  });

  it("says that it was refused, and tries again by its policy", { timeout: 60_000 }, async () => {
    const { board } = await open("native-sanitized", "native");
    await board.link.command("credentials", { host: "127.0.0.1", port: 1 });
    await board.begin(configuration("t1", { path: "direct" }));
    await until(() => board.ofKind("connection").filter(({ kind }) => kind === "refused").length > 2, 20_000);
    expect(
      board
        .ofKind("connection")
        .slice(0, 3)
        .map(({ kind }) => kind),
    ).toEqual(["attempt", "refused", "attempt"]);
  });
});

import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../scenarios/runner/verdict.js";
import { metric, runText } from "../determinism/run-text.js";
import { closedPort, lacksMosquitto, startMosquitto } from "./rigs.js";

const telemetry = readFileSync("test/embedding/telemetry.yaml", "utf8");

const tool = { name: "fleetrig", version: "0" } as const;

const against = (port: number): string =>
  `${telemetry}broker: { mode: external, url: "mqtt://127.0.0.1:${port}" }\n`;

describe("an external broker that is not there (realtime)", () => {
  it("is an error of the environment within seconds, never a pass: nobody listens", async () => {
    const run = await runText(against(await closedPort()));
    const { verdict, failure, durationMs, expectations } = run;
    expect(failure?.code).toBe("RUN_BROKER_UNREACHABLE");
    expect(failure?.hint).toContain("URL");
    expect(verdict).toBe("error");
    expect(exitCodeOf({ schemaVersion: 1, tool, verdict, runs: [run], sweeps: [] })).toBe(3);
    expect(durationMs).toBeLessThan(20_000);
    expect(expectations.map((one) => one.verdict)).not.toContain("pass");
  });

  it("is the same when something listens but does not speak MQTT", async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = mute.address() as AddressInfo;
      const { verdict, failure, durationMs } = await runText(against(port));
      expect({ verdict, code: failure?.code }).toEqual({ verdict: "error", code: "RUN_BROKER_UNREACHABLE" });
      expect(durationMs).toBeLessThan(20_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });
});

describe.skipIf(lacksMosquitto)("an external mosquitto (realtime)", () => {
  it("carries a telemetry scenario to a pass, counted like our own", async () => {
    const mosquitto = await startMosquitto();
    try {
      const record = await runText(against(mosquitto.port));
      expect(record.expectations.filter((one) => one.verdict !== "pass")).toEqual([]);
      expect(record).toMatchObject({ verdict: "passed", failure: null });
      expect(metric(record, "delivery.sent", { stage: "steady" })).toBe(120);
      expect(metric(record, "delivery.received", { stage: "steady" })).toBe(120);
    } finally {
      await mosquitto.stop();
    }
  });

  it("that dies in the middle of a run does not turn it into a pass", async () => {
    const mosquitto = await startMosquitto();
    let stopping: Promise<void> | undefined;
    const { verdict, failure, expectations } = await runText(against(mosquitto.port), {
      prepared: ({ harness }) => void harness.after(1_000_000, () => (stopping = mosquitto.stop())),
    });
    await stopping;
    expect({ verdict, failure }).toEqual({ verdict: "failed", failure: null });
    const online = expectations.find(({ expr }) => expr.startsWith("connections.online"));
    expect(online?.verdict).toBe("fail");
  });
});

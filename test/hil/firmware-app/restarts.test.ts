import { Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { CLIMATE, S, TwinRig } from "./twin-rig.js";

const reconnect = { policy: "constant", baseUs: S, capUs: 60 * S, resetAfterUs: 10 * S } as const;
const sensors = { telemetry: [CLIMATE], reconnect } as const;

const RESETS = Number(process.env["FLEETRIG_FIRMWARE_RESETS"] ?? 60);

/** As the bench renders it. */
const CONFIGURATION = {
  path: "bridge",
  model: "temperature-sensor",
  connectAtUs: 0,
  mqtt: { version: 5, keepAliveS: 60, cleanStart: false, sessionExpiryS: 3600, receiveMaximum: 16 },
  telemetry: [
    {
      s: 0,
      tag: "test.0.1.",
      everyUs: S,
      offsetUs: 0,
      topic: "site/twins-1/t",
      qos: 1,
      retain: false,
      payload: '{"seq":{seq}}',
    },
  ],
};

/** Sequences that arrived, and every one that came more than once. */
function watch(rig: TwinRig): { readonly arrived: number[] } {
  const arrived: number[] = [];
  rig.cloud.broker.addHooks({
    message: (message) => {
      if (message.topic === "site/twins-1/t")
        arrived.push((JSON.parse(Buffer.from(message.payload).toString()) as { seq: number }).seq);
      return "broker";
    },
  });
  return { arrived };
}

describe.skipIf(lacksCompiler)("a board that restarts", () => {
  it("goes on as the member it was: connection, schedule and sequences", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(3.5);
    rig.board.reset();
    rig.advance(4);
    expect(rig.board.restarts).toEqual(["POWERON"]);
    expect(arrived).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rig.told("twins-1", ["connection."])).toMatchObject([
      { type: "connection.attempt", attempt: 0 },
      { type: "connection.open", sessionPresent: false },
      { type: "connection.lost", reason: "restarted" },
      { type: "connection.attempt", attempt: 0 },
      { type: "connection.open", sessionPresent: true, resumeExpected: true },
    ]);
  });

  it("is not disturbed by a bench that opens a session again", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(2.5);
    rig.board.detach();
    rig.advance(3);
    rig.board.attach(false);
    rig.advance(4);
    expect(arrived).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(rig.board.restarts).toEqual([]);
  });

  it("goes on with telemetry before the bench has spoken, and loses nothing of it", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(2.5);
    rig.board.isUnattended = true;
    rig.board.reset();
    rig.advance(5);
    expect(arrived).toEqual([0, 1, 2]);
    rig.board.attach(true);
    rig.advance(3);
    expect(arrived).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(rig.steps(1)).toEqual(expect.arrayContaining(["sent 7", "acked 7"]));
  });

  it("delivers after a power cut what it had kept, as repetitions", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(2.5);
    rig.members.board.disconnect("graceful", 3600 * S, "hold");
    rig.advance(4);
    rig.board.cutPower();
    rig.advance(3);
    expect(new Set(arrived)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, ...arrived]));
    const sequences = arrived.filter((sequence) => sequence > 6);
    expect(sequences.length).toBeGreaterThan(1);
    expect(new Set(arrived).size).toBe(arrived.length);
  });

  it("never uses a sequence twice and loses nothing it kept, wherever power fails", () => {
    for (let bytes = 1; bytes < 2_500; bytes += 97) {
      const rig = new TwinRig(sensors);
      const { arrived } = watch(rig);
      rig.start().advance(2.5);
      rig.board.cutPower(bytes);
      rig.advance(25);
      rig.board.cutPower();
      rig.advance(10);
      const acked = rig
        .steps(1)
        .filter((step) => step.startsWith("acked"))
        .map((step) => Number(step.slice(6)));
      for (const sequence of acked) expect(arrived).toContain(sequence);
      const fresh = rig.steps(1).filter((step) => step.startsWith("sent"));
      expect(new Set(fresh).size).toBe(fresh.length);
      expect(arrived.length).toBeGreaterThan(25);
      rig.board.close();
    }
  });

  it("skips no number over power cuts when its messages are kept, acknowledged ones included", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(5.5);
    for (let n = 0; n < 5; n += 1) {
      rig.board.cutPower();
      rig.advance(10);
    }
    expect(arrived.length).toBeGreaterThan(30);
    expect([...new Set(arrived)]).toEqual(Array.from({ length: new Set(arrived).size }, (_, n) => n));
  });

  it.each([
    { everyUs: S, reserved: 60 },
    { everyUs: 40 * S, reserved: 1 },
  ])("skips at most $reserved of the numbers that nothing keeps", ({ everyUs, reserved }) => {
    const rig = new TwinRig({ ...sensors, telemetry: [{ ...CLIMATE, qos: 0, everyUs }] });
    const { arrived } = watch(rig);
    rig.start().advance(2.5 + (everyUs / S) * 2);
    const before = arrived.length;
    rig.board.cutPower();
    rig.advance(10 + (everyUs / S) * 2);
    expect(arrived.length).toBeGreaterThan(before);
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(arrived[before]! - arrived[before - 1]! - 1).toBeLessThan(reserved);
  });

  it("knows the last number of a rare stream when the outbox has turned over since", () => {
    const rare = { ...CLIMATE, stream: 1, name: "rare", everyUs: 200 * S, topic: "site/{thingName}/rare" };
    const rig = new TwinRig({ ...sensors, telemetry: [{ ...CLIMATE, everyUs: S / 10 }, rare] });
    const seen: number[] = [];
    rig.cloud.broker.addHooks({
      message: ({ topic, payload }) => {
        if (topic === "site/twins-1/rare")
          seen.push((JSON.parse(Buffer.from(payload).toString()) as { seq: number }).seq);
        return "broker";
      },
    });
    rig.start().advance(395);
    expect(seen).toEqual([0, 1]);
    rig.board.cutPower();
    rig.advance(15);
    expect(seen).toEqual([0, 1, 2]);
  }, 60_000);

  it(`loses nothing and invents nothing over ${RESETS} resets at random moments`, () => {
    const random = Random.seeded("resets");
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(2.5);
    for (let n = 0; n < RESETS; n += 1) {
      rig.board.reset();
      rig.advance(random.between(0.001, 3));
    }
    rig.advance(5);
    expect(rig.board.restarts).toHaveLength(RESETS);
    const known = [...new Set(arrived)].toSorted((a, b) => a - b);
    expect(known).toEqual(known.map((_, place) => place));
    expect(known.length).toBeGreaterThan(RESETS);
    const fresh = rig.steps(1).filter((step) => step.startsWith("sent"));
    expect(new Set(fresh).size).toBe(fresh.length);
    expect(fresh).toHaveLength(known.length);
  });

  it("reboots on command: tells, and is back", () => {
    const rig = new TwinRig(sensors).start().advance(2.5);
    rig.board.command("reboot", {});
    rig.advance(3);
    expect(rig.board.restarts).toEqual(["SW_CPU_RESET"]);
    expect(rig.told("twins-1", ["device.rebooted"])).toHaveLength(1);
    expect(rig.members.board.isOnline).toBe(true);
  });

  it("waits 2 s at most for a bench that takes nothing in before it restarts, and for none that is gone", () => {
    const rig = new TwinRig().start().advance(3);
    rig.board.stall();
    rig.board.command("reboot", {});
    expect(rig.advance(1.9).board.restarts).toEqual([]);
    expect(rig.advance(0.2).board.restarts).toEqual(["SW_CPU_RESET"]);
    rig.advance(1).board.detach();
    rig.board.command("reboot", {});
    expect(rig.advance(0.01).board.restarts).toHaveLength(2);
  });

  it("becomes another member without a word of the one before, and sequences begin anew", () => {
    const rig = new TwinRig(sensors);
    const { arrived } = watch(rig);
    rig.start().advance(2.5);
    const told = rig.board.events.length;
    rig.board.command("configure", { ...CONFIGURATION, thing: "twins-1" });
    rig.advance(1);
    expect(rig.board.events).toHaveLength(told);
    expect(rig.events.some((event) => event.type === "connection.lost")).toBe(false);
    rig.board.command("start", { at: rig.board.toBoardUs(rig.time.nowUs()) });
    rig.advance(2.5);
    expect(arrived).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it("stays powered off after stop, over restarts too", () => {
    const rig = new TwinRig(sensors).start().advance(2.5);
    rig.board.isUnattended = true;
    rig.members.board.stop();
    rig.advance(2);
    rig.board.reset();
    rig.advance(5);
    expect(rig.board.events.at(-1)).toMatchObject({ ev: "connection", kind: "closed" });
  });
});

import type { JsonObject } from "fleetrig/kernel";
import { BUILTIN_MODELS, type DeviceSignalEvent } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { explore, type Subject, subject, TIMER } from "./exploration.js";

const model = BUILTIN_MODELS["shadow-device"]!;
const sensor = BUILTIN_MODELS["temperature-sensor"]!;
const MS = 1000;
const settings = { shadow: { name: "config", applyTime: { dist: "uniform", min: 200 * MS, max: 400 * MS } } };

const connected: DeviceSignalEvent = { type: "CONNECTED", sessionPresent: true };
const delta = (
  version: number,
  state: JsonObject,
  shadowName: string | undefined = "config",
): DeviceSignalEvent => ({
  type: "DELTA",
  shadowName,
  state,
  version,
});
const threshold = (isBelow: boolean): DeviceSignalEvent => ({
  type: "THRESHOLD",
  signal: "battery",
  value: 1,
  isBelow,
});
const named = (device: Subject, type: string): unknown[] =>
  device.params.filter((effect) => effect.type === type).map((effect) => effect.params);

describe("shadow-device", () => {
  it("has exactly these moves; every other event leaves its state unchanged", () => {
    const { moves, paths } = explore({
      model,
      settings,
      alphabet: {
        CONNECTED: connected,
        DISCONNECTED: { type: "DISCONNECTED", reason: "reset" },
        DELTA_1: delta(1, { a: 1 }),
        DELTA_2: delta(2, { a: 2 }),
        FOREIGN: delta(3, { a: 3 }, "other"),
        JOB_AVAILABLE: { type: "JOB_AVAILABLE" },
        TIMER,
      },
      depth: 5,
    });
    expect([...moves].sort()).toEqual([
      "applying TIMER steady",
      "steady DELTA_1 applying",
      "steady DELTA_2 applying",
    ]);
    expect([...paths.keys(), "drawing"].sort()).toEqual(Object.keys(model.machine.root.states).sort());
  });

  it("subscribes to its deltas and gets the shadow on every connection, so that it converges", () => {
    const device = subject(model, settings);
    device.send(connected);
    device.send(connected);
    expect(device.params.slice(0, 2)).toEqual([
      {
        type: "subscribe",
        params: {
          filters: [
            "$aws/things/{thingName}/shadow/name/config/update/delta",
            "$aws/things/{thingName}/shadow/name/config/get/accepted",
          ],
        },
      },
      { type: "getShadow", params: { shadowName: "config" } },
    ]);
    expect(named(device, "getShadow")).toHaveLength(2);
  });

  it("applies a delta after the drawn time, then reports what changed", () => {
    const device = subject(model, settings, 0.25);
    device.send(delta(4, { setpoint: 21, mode: { eco: true } }));
    device.time.advance(249_999);
    expect(device.effects).toEqual(["draw"]);
    device.time.advance(1);
    const config = { setpoint: 21, mode: { eco: true } };
    expect(named(device, "applyConfig")).toEqual([{ shadowName: "config", config }]);
    expect(named(device, "reportShadow")).toEqual([{ shadowName: "config", reported: config }]);
  });

  it("merges a delta into what it runs with, nested keys included", () => {
    const device = subject(model, settings);
    for (const [version, state] of [{ a: { b: 1, c: 2 }, x: 1 }, { a: { c: 3 } }, { a: 7 }].entries()) {
      device.send(delta(version + 1, state));
      device.send(TIMER);
    }
    expect(named(device, "applyConfig").map((params) => (params as { config: unknown }).config)).toEqual([
      { a: { b: 1, c: 2 }, x: 1 },
      { a: { b: 1, c: 3 }, x: 1 },
      { a: 7, x: 1 },
    ]);
    expect(named(device, "reportShadow").at(-1)).toEqual({ shadowName: "config", reported: { a: 7 } });
  });

  it("lets a newer delta supersede the one it is applying, and an older one not", () => {
    const device = subject(model, settings);
    device.send(delta(2, { a: 2 }));
    device.time.advance(100 * MS);
    device.send(delta(3, { a: 3 }));
    device.send(delta(1, { a: 1 }));
    device.time.advance(299 * MS);
    expect(named(device, "applyConfig")).toEqual([]);
    device.time.advance(1 * MS);
    expect(named(device, "applyConfig")).toEqual([{ shadowName: "config", config: { a: 3 } }]);
  });

  it("answers the same delta again, since its report may have been lost", () => {
    const device = subject(model, settings);
    for (let i = 0; i < 2; i += 1) {
      device.send(delta(2, { a: 2 }));
      device.send(TIMER);
    }
    expect(named(device, "reportShadow")).toHaveLength(2);
  });

  it("accepts lower versions after a reconnect: the shadow may have been deleted and begun anew", () => {
    const device = subject(model, settings);
    device.send(delta(9, { a: 2 }));
    device.send(TIMER);
    device.send(delta(1, { a: 3 }));
    expect(device.runner.state).toBe("steady");
    device.send(connected);
    device.send(delta(1, { a: 3 }));
    expect(device.runner.state).toBe("applying");
  });

  it("keeps hostile keys as plain data", () => {
    const device = subject(model, settings);
    device.send(delta(1, JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject));
    device.send(TIMER);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(JSON.stringify(named(device, "reportShadow")[0])).toContain("__proto__");
  });
});

describe("temperature-sensor", () => {
  it("does not touch a shadow without a shadow block", () => {
    const device = subject(sensor);
    device.send(connected);
    expect(device.effects).toEqual([]);
  });

  it.each<[string, JsonObject, number | undefined]>([
    ["reporting_interval", { reporting_interval: 60 }, 60e6],
    ["reportingIntervalS", { reportingIntervalS: 0.5 }, 0.5e6],
    ["telemetry.everyS", { telemetry: { everyS: 10 } }, 10e6],
    ["nothing of the kind", { colour: "red" }, undefined],
    ["an interval below 0.1 s", { reporting_interval: 0.01 }, undefined],
    ["an interval that is no number", { reporting_interval: "60" }, undefined],
  ])("sets its sampling by %s in the shadow", (_, desired, everyUs) => {
    const device = subject(sensor, settings);
    device.send(connected);
    device.send(delta(1, desired));
    device.send(TIMER);
    expect(named(device, "telemetry")).toEqual([everyUs === undefined ? {} : { everyUs }]);
    expect(named(device, "reportShadow")).toEqual([{ shadowName: "config", reported: desired }]);
  });

  it("samples less often while its battery is low", () => {
    const device = subject(sensor);
    device.send(threshold(true));
    expect(device.runner.matches({ power: "saving" })).toBe(true);
    device.send(threshold(true));
    device.send(threshold(false));
    expect(named(device, "telemetry")).toEqual([{ slowdown: 4 }, { slowdown: 1 }]);
  });
});

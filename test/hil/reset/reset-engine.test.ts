import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AdapterKind,
  NO_POWER,
  type Port,
  type PowerControl,
  ResetEngine,
  type ResetEngineOptions,
  ResetMemoryFile,
  VolatileResetMemory,
} from "fleetrig/hil";
import { FleetrigError, US_PER_MS, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { type ChipOptions, VirtualChip, withoutLines } from "./virtual-chip.js";

type BenchOptions = Partial<Omit<ResetEngineOptions, "power">> & {
  readonly kind?: AdapterKind;
  readonly power?: (chip: VirtualChip) => PowerControl;
};

function bench(chipOptions: Partial<ChipOptions> = {}, { kind, power, ...options }: BenchOptions = {}) {
  const time = new VirtualTime();
  const clock = time.lane(0);
  const chip: VirtualChip = new VirtualChip({
    clock,
    saw: (evidence) => engine.saw(evidence),
    ...chipOptions,
  });
  const engine: ResetEngine = new ResetEngine({
    clock,
    adapter: kind ?? "uart-bridge",
    key: "mac:7cdfa1001122",
    port: (): Port | undefined => chip,
    power: power?.(chip) ?? NO_POWER,
    memory: new VolatileResetMemory(),
    ...options,
  });
  return { time, chip, engine };
}

/** Lets promises settle, then lets time go on to what is due next, until there is a result. */
async function drive<T>(time: VirtualTime, work: Promise<T>): Promise<T> {
  let isDone = false;
  const settled = work.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  for (let step = 0; step < 10_000; step += 1) {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    if (isDone) break;
    const nextUs = time.heap.nextDueUs();
    if (Number.isFinite(nextUs)) time.runUntil(nextUs);
    else await new Promise(setImmediate);
  }
  await settled;
  return work;
}

describe("ResetEngine", () => {
  it.each([
    ["transistors", "run", "hard"],
    ["transistors", "download", "tight"],
    ["direct", "run", "hard"],
    ["direct", "download", "tight"],
    ["inverted", "run", "hard-inverted"],
    ["swapped", "run", "hard-swapped"],
    ["swapped", "download", "usb-jtag"],
  ] as const)("finds what works with %s wiring for %s: %s", async (wiring, mode, method) => {
    const { time, engine } = bench({ wiring });
    expect(await drive(time, engine.reset(mode))).toMatchObject({ mode, method });
  });

  it("resets the chip's own USB by its own trains", async () => {
    const { time, engine } = bench({ wiring: "usb-jtag" }, { kind: "usb-jtag" });
    expect(await drive(time, engine.reset("run"))).toMatchObject({ method: "hard-usb" });
    expect(await drive(time, engine.reset("download"))).toMatchObject({ method: "usb-jtag" });
  });

  it("sets both lines in one step, and leaves them at rest", async () => {
    const { time, engine, chip } = bench();
    await drive(time, engine.reset("run"));
    expect(chip.trace).toEqual(["00", "01", "01", "00", "00"]);
  });

  it("goes on to the long train where the capacitor is large, and remembers it", async () => {
    const { time, engine, chip } = bench({ capacitorUs: 300 * US_PER_MS });
    const first = await drive(time, engine.reset("download"));
    expect(first.attempts.map(({ method, result }) => [method, result])).toEqual([
      ["tight", "wrong-mode"],
      ["classic", "wrong-mode"],
      ["classic-slow", "proven"],
    ]);
    chip.trace.length = 0;
    const second = await drive(time, engine.reset("download"));
    expect(second.attempts).toHaveLength(1);
    expect(second.method).toBe("classic-slow");
  });

  it("does not believe a train that nothing shows, and says what was tried", async () => {
    const { time, engine } = bench({ wiring: "none" });
    const failure: unknown = await drive(
      time,
      engine.reset("run").catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({
      code: "BOARD_RESET_UNPROVEN",
      hint: expect.stringContaining(
        "hard (D0|R1|W100|D0|R0): silent after 2.1 s, nothing was seen; hard-swapped (D0|R1|W100|D0|R0): silent",
      ),
      context: { attempts: [{ train: "D0|R1|W100|D0|R0", seen: [] }, {}, {}] },
    });
  });

  it("says what each way showed, and why one failed", async () => {
    const { time, engine } = bench({ isDead: true });
    engine.saw({ kind: "hello", bootId: 7 });
    const failure = engine.reset("download").catch((error: unknown) => error);
    for (const atMs of [50, 60])
      time.lane(1).after(atMs * US_PER_MS, () => engine.saw({ kind: "hello", bootId: 7 }));
    time.lane(1).after(500 * US_PER_MS, () => engine.saw({ kind: "boot", isDownload: false }));
    const { hint } = (await drive(time, failure)) as FleetrigError;
    expect(hint).toMatch(
      /tight \(U0,0\|.*?\): wrong-mode after 500 ms, seen: a hello of the start before, boot text of its application; classic \(/,
    );
    const deaf = bench({}, { port: () => withoutLines });
    const refused = deaf.engine.reset("run").catch((error: unknown) => error);
    expect(((await drive(deaf.time, refused)) as FleetrigError).hint).toMatch(/: failed after 0 .s, .*lines/);
  });

  it("switches the supply when no line helps", async () => {
    const { time, engine } = bench({ wiring: "none" }, { power: (chip) => chip.power });
    expect(await drive(time, engine.reset("run"))).toMatchObject({ method: "power" });
  });

  it("does not try one line after the other where there are none", async () => {
    const { time, engine } = bench({}, { port: () => withoutLines });
    const failure: unknown = await drive(
      time,
      engine.reset("run").catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ context: { attempts: [{ method: "hard", result: "failed" }] } });
  });

  it("lets a virtual board restart by its control socket", async () => {
    const asked: string[] = [];
    const power = (chip: VirtualChip): PowerControl => ({
      ...NO_POWER,
      reset: async (mode) => {
        asked.push(mode);
        await chip.power.setPower(true);
      },
    });
    const { time, engine } = bench({}, { kind: "virtual", power });
    expect(await drive(time, engine.reset("run"))).toMatchObject({ method: "restart" });
    expect(asked).toEqual(["run"]);
  });

  it("takes a hello for proof only when it is of another start", async () => {
    const { time, engine } = bench({ isDead: true });
    engine.saw({ kind: "hello", bootId: 7 });
    const outcome = engine.reset("run").catch((error: unknown) => error);
    time.lane(1).after(150 * US_PER_MS, () => engine.saw({ kind: "hello", bootId: 7 }));
    time.lane(1).after(500 * US_PER_MS, () => engine.saw({ kind: "hello", bootId: 8 }));
    expect(await drive(time, outcome)).toMatchObject({ method: "hard", tookUs: 500_000 });
  });

  it("waits for the chip's own USB to come back", async () => {
    const { time, engine, chip } = bench({ wiring: "usb-jtag" }, { kind: "usb-jtag" });
    const setLines = chip.setLines.bind(chip);
    chip.setLines = async (lines) => {
      await setLines(lines);
      if (chip.trace.at(-2) === "01" && !lines.rts) throw new FleetrigError("PORT_CLOSED", "It went away.");
    };
    expect(await drive(time, engine.reset("run"))).toMatchObject({ method: "hard-usb" });
  });

  it("does one reset after the other", async () => {
    const { time, engine, chip } = bench();
    const both = Promise.all([engine.reset("run"), engine.reset("download")]);
    expect((await drive(time, both)).map(({ mode }) => mode)).toEqual(["run", "download"]);
    expect(chip.starts).toBe(2);
  });

  it("carries a train of the user's out instead of its own", async () => {
    const { time, engine, chip } = bench({}, { custom: { run: "D0|R1|W20|R0" } });
    expect(await drive(time, engine.reset("run"))).toMatchObject({ method: "custom" });
    expect(chip.trace).toEqual(["00", "01", "00", "00"]);
  });

  it("proves 1,000 of 1,000 resets, with skewed lines and starts that fail", async () => {
    const { time, engine, chip } = bench({ skewUs: 300, flakyEvery: 7, capacitorUs: 5 * US_PER_MS });
    const methods = new Map<string, number>();
    for (let round = 0; round < 1_000; round += 1) {
      const mode = round % 3 === 0 ? "download" : "run";
      const { method, mode: reached } = await retried(time, engine, mode);
      expect(reached).toBe(mode);
      methods.set(method, (methods.get(method) ?? 0) + 1);
    }
    expect(chip.starts).toBeGreaterThan(1_000);
    expect(
      [...methods.keys()].every((name) => ["hard", "tight", "classic", "classic-slow"].includes(name)),
    ).toBe(true);
  });
});

const retried = (time: VirtualTime, engine: ResetEngine, mode: "run" | "download") =>
  drive(time, engine.reset(mode)).catch(() => drive(time, engine.reset(mode)));

describe("ResetMemoryFile", () => {
  it("remembers what worked, over processes and beside others", () => {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-resets-"));
    const file = join(folder, "sub", "resets.json");
    const one = new ResetMemoryFile(file);
    const other = new ResetMemoryFile(file);
    one.learn("mac:1", "run", "hard");
    other.learn("mac:2", "download", "classic-slow");
    const later = new ResetMemoryFile(file);
    expect([later.recall("mac:1", "run"), later.recall("mac:2", "download")]).toEqual([
      "hard",
      "classic-slow",
    ]);
    writeFileSync(file, "{");
    expect(new ResetMemoryFile(file).recall("mac:1", "run")).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});

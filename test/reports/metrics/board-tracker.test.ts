import { describe, expect, it } from "vitest";
import { MS, observedRun, S } from "./observed-run.js";

const boot = (thing: string, resetReason: string, isExpected: boolean, bootUs?: number) =>
  ({ type: "board.booted", thing, resetReason, isExpected, bootUs, version: "1.0.0" }) as const;

const panic = (thing: string, kind: string, isExpected = false) =>
  ({
    type: "board.panicked",
    thing,
    kind,
    cause: `it was ${kind}`,
    backtrace: [],
    noticedUs: 21 * MS,
    isExpected,
  }) as const;

const clock = (thing: string, uncertaintyUs: number) =>
  ({ type: "board.clock", thing, uncertaintyUs, skewPpm: 12 }) as const;

describe("metrics of boards", () => {
  it("have no data in a run without boards, which is not the same as zero panics", () => {
    const { read } = observedRun();
    expect(read("board.panics")).toMatch(/no board took part/);
  });

  it("count panics by kind, thing and whether they were asked for", () => {
    const { emit, read } = observedRun();
    emit(1, panic("g0", "abort"));
    emit(2, panic("g0", "abort", true));
    emit(3, panic("g1", "silent-reboot"));
    expect([
      read("board.panics"),
      read("board.panics{kind=abort}"),
      read("board.panics{thing=g1}"),
      read("board.panics{expected=false}"),
      read("board.panics{kind=brownout}"),
    ]).toEqual([3, 2, 1, 2, 0]);
    expect(read("board.panic_notice max")).toBe(21 * MS);
  });

  it("count starts by reset reason and by stage, and time those that were seen from the beginning", () => {
    const { emit, read } = observedRun();
    emit(0, { type: "stage.started", stage: "a", measured: true });
    emit(1, boot("g0", "POWERON", true, 300 * MS));
    emit(5, { type: "stage.started", stage: "b", measured: true });
    emit(6, boot("g0", "PANIC", false));
    expect([
      read("board.reset_reason{reason=PANIC}"),
      read("board.reset_reason{reason=PANIC,stage=a}"),
      read("board.reset_reason{reason=BROWNOUT}"),
      read("board.resets{expected=false}"),
      read("board.resets"),
      read("board.boot_time max"),
      read("board.boot_time count"),
    ]).toEqual([1, 0, 0, 1, 2, 300 * MS, 1]);
  });

  it("tell markers as times, numbers and how often, by name", () => {
    const { emit, read, observation } = observedRun();
    const marker = (name: string, value?: number, tookUs?: number) =>
      ({ type: "board.marker", thing: "g0", name, value, tookUs }) as const;
    emit(1, marker("sensor.ready", undefined, 40 * MS));
    emit(2, marker("sensor.ready", undefined, 60 * MS));
    emit(3, marker("queue", 7));
    emit(4, marker("queue", 3.5));
    emit(5, marker("got-here"));
    expect([
      read("board.marker{name=sensor.ready} p(95)"),
      read("board.marker{name=queue} count"),
      read("board.markers{name=got-here}"),
      read("board.markers"),
      read("board.marker_value{name=queue} max"),
      read("board.marker_value{name=queue,thing=g0} min"),
    ]).toEqual([60 * MS, 0, 1, 5, 7, 3.5]);
    expect(observation.boards.records[0]!.markers).toEqual([
      { name: "sensor.ready", count: 2, took: { count: 2, min: 40, p50: 40, p95: 60, max: 60 }, value: null },
      { name: "queue", count: 2, took: null, value: { min: 3.5, mean: 5.25, max: 7, last: 3.5 } },
      { name: "got-here", count: 1, took: null, value: null },
    ]);
    expect(observation.store.uncertaintyUs("board.marker", {})).toBeUndefined();
  });

  it("time the first marker or output of each name after an action about the board", () => {
    const { emit, read, observation } = observedRun();
    const action = (id: string, things: readonly string[]) =>
      ({ type: "action.started", action: id, verb: "stimulate", things, detail: {} }) as const;
    const alarm = { type: "board.marker", thing: "g0", name: "alarm", value: 1, tookUs: undefined } as const;
    const output = (isHigh: boolean) => ({ type: "board.gpio", thing: "g0", pin: 4, isHigh }) as const;
    emit(0, clock("g0", 2 * MS));
    emit(1 * S, alarm);
    emit(2 * S, action("door", ["g0"]));
    emit(2 * S, action("other", ["g1"]));
    emit(2 * S + 30 * MS, alarm);
    emit(2 * S + 40 * MS, output(true));
    emit(2 * S + 90 * MS, alarm);
    emit(3 * S, action("door", ["g0"]));
    emit(3 * S + 50 * MS, alarm);
    expect([
      read("board.reaction{action=door,name=alarm} min"),
      read("board.reaction{action=door,name=alarm} max"),
      read("board.reaction{action=door,name=alarm} count"),
      read("board.reaction{name=gpio4.high} max"),
      read("board.reaction{action=other} count"),
      read("board.gpio{pin=4,level=high}"),
    ]).toEqual([30 * MS, 50 * MS, 2, 40 * MS, 0, 1]);
    expect(observation.store.uncertaintyUs("board.reaction", { thing: "g0" })).toBe(2 * MS);
    expect(observation.boards.records[0]!.reactions).toMatchObject([
      { action: "door", name: "alarm", took: { count: 2, min: 30, max: 50 } },
      { action: "door", name: "gpio4.high", took: { count: 1 } },
    ]);
  });

  it("keep names of markers bounded, whatever a board tells", () => {
    const { emit, read, observation } = observedRun();
    for (let i = 0; i < 1000; i += 1) {
      emit(i, { type: "board.marker", thing: "g0", name: `n${i}`, value: i, tookUs: undefined });
    }
    expect(observation.boards.records[0]!.markers!.length).toBeLessThanOrEqual(201);
    expect([read("board.markers"), read("board.markers{name=others}")]).toEqual([1000, 800]);
  });

  it("tell deep sleep by how often and how long, and what came on top", () => {
    const { emit, read, observation } = observedRun();
    const sleeping = { type: "board.sleeping", thing: "g0", forUs: 5 * S } as const;
    emit(1 * S, sleeping);
    emit(6 * S + 300 * MS, boot("g0", "DEEPSLEEP", true));
    emit(8 * S, sleeping);
    emit(9 * S, boot("g0", "POWERON", false));
    emit(10 * S, boot("g0", "DEEPSLEEP", true));
    expect([
      read("board.sleeps"),
      read("board.sleep_time count"),
      read("board.sleep_time max"),
      read("board.oversleep max"),
    ]).toEqual([2, 1, 5_300_000, 300_000]);
    expect(observation.boards.records[0]!.sleeps).toEqual({ total: 2, plannedMs: 10_000, asleepMs: 5_300 });
  });

  it("tell how boards were lost and came back", () => {
    const { emit, read } = observedRun();
    emit(1, { type: "board.detached", thing: "g0", reason: "disconnected" });
    emit(2 * S, { type: "board.recovered", thing: "g0", tookUs: 2 * S, rung: "reopened" });
    emit(3 * S, { type: "board.given-up", thing: "g1", reason: "no hello after five rungs" });
    expect([
      read("board.detached"),
      read("board.recovery_time{rung=reopened} max"),
      read("board.recovery_time{rung=power-cycled} count"),
      read("board.given_up"),
    ]).toEqual([1, 2 * S, 0, 1]);
  });

  it("tell waits for log lines by how they ended", () => {
    const { emit, read } = observedRun();
    const wait = { type: "board.log-awaited", thing: "g0", action: "ready", pattern: "ready" } as const;
    emit(1, { ...wait, failure: undefined, waitedUs: 5 * MS });
    emit(2, { ...wait, failure: "panic: abort() was called", waitedUs: 9 * MS });
    expect([
      read("board.log_waits{action=ready,outcome=came}"),
      read("board.log_waits{outcome=panic}"),
      read("board.log_wait max"),
    ]).toEqual([1, 1, 5 * MS]);
  });

  it("add up what went wrong on links", () => {
    const { emit, read } = observedRun();
    const link = {
      type: "board.link",
      retransmissions: 2,
      badFrames: 1,
      droppedLogs: 3,
      droppedEvents: 1,
    } as const;
    emit(1, { ...link, thing: "g0" });
    emit(2, { ...link, thing: "g1" });
    expect([
      read("link.retransmissions"),
      read("link.bad_frames{thing=g1}"),
      read("link.dropped_logs"),
      read("link.dropped_events{thing=g0}"),
    ]).toEqual([4, 1, 6, 1]);
  });

  it("know the least free heap and the longest turn of the loop, where the firmware tells them", () => {
    const { emit, read, observation } = observedRun();
    const stats = (thing: string, heapFreeBytes: number | undefined, longestLoopUs: number | undefined) =>
      ({ type: "board.stats", thing, heapFreeBytes, longestLoopUs }) as const;
    emit(1, stats("g0", 90_000, 4 * MS));
    emit(2, stats("g0", 70_000, 9 * MS));
    emit(3, stats("g1", undefined, 2 * MS));
    expect([
      read("board.heap_free min"),
      read("board.longest_loop{thing=g1} max"),
      read("board.longest_loop max"),
    ]).toEqual([70_000, 2 * MS, 9 * MS]);
    expect(observation.boards.records.map(({ firmware }) => firmware)).toEqual([
      { heapFreeMinBytes: 70_000, longestLoopMs: 9 },
      { heapFreeMinBytes: null, longestLoopMs: 2 },
    ]);
  });

  it("know the uncertainty of clocks by thing", () => {
    const { emit, read } = observedRun();
    emit(1, clock("g0", 4 * MS));
    emit(2, clock("g1", 2 * MS));
    expect([
      read("bridge.clock_uncertainty max"),
      read("bridge.clock_uncertainty{bridge=g1} max"),
      read("bridge.clock_uncertainty"),
    ]).toEqual([4 * MS, 2 * MS, 4 * MS]);
  });
});

describe("the uncertainty of times across clocks", () => {
  it("is that of the worst board of the selection, at its worst in a measured stage", () => {
    const { emit, observation } = observedRun({
      fleet: { g: 2, h: 1, v: 1 },
      streams: [{ name: "t", group: "h", qos: 0, observed: true }],
    });
    const worst = (labels = {}) => observation.store.uncertaintyUs("latency.e2e", labels);
    expect(worst()).toBeUndefined();
    emit(0, { type: "stage.started", stage: "warm-up", measured: false });
    emit(1, clock("g0", 9 * MS));
    emit(2, clock("h0", 1 * MS));
    emit(5, { type: "stage.started", stage: "steady", measured: true });
    expect([worst(), worst({ group: "h" })]).toEqual([9 * MS, 1 * MS]);
    emit(6, clock("g0", 3 * MS));
    emit(7, { type: "stage.started", stage: "later", measured: true });
    emit(8, clock("g0", 2 * MS));
    expect([
      worst({ group: "g" }),
      worst({ group: "g", stage: "later" }),
      worst({ stream: "t" }),
      worst({ group: "v" }),
    ]).toEqual([9 * MS, 3 * MS, 1 * MS, undefined]);
  });
});

describe("records of boards", () => {
  it("have one entry per board in the order of the plan, with everything that happened to it", () => {
    const { emit, observation } = observedRun();
    emit(1 * S, {
      type: "board.attached",
      thing: "g1",
      path: "/dev/ttyUSB0",
      chip: "esp32c3",
      mac: "7cdfa1001122",
    });
    emit(1 * S, boot("g1", "POWERON", true, 200 * MS));
    emit(2 * S, {
      type: "board.attached",
      thing: "g0",
      path: "/dev/ttyACM0",
      chip: "esp32s3",
      mac: "7cdfa1001123",
    });
    emit(3 * S, panic("g1", "panic"));
    emit(4 * S, {
      type: "board.panic-ended",
      thing: "g1",
      kind: "load-access-fault",
      cause: "Guru Meditation",
      backtrace: ["measure (app.c:17)"],
    });
    emit(4 * S, {
      type: "board.attached",
      thing: "g1",
      path: "/dev/ttyUSB1",
      chip: "esp32c3",
      mac: "7cdfa1001122",
    });
    emit(5 * S, clock("g1", 250));
    emit(6 * S, {
      type: "action.skipped",
      action: "cut",
      things: ["v0"],
      reason: "virtual devices have no power",
    });
    expect(observation.boards.records.map(({ thing }) => thing)).toEqual(["g0", "g1"]);
    expect(observation.boards.records[1]).toMatchObject({
      chip: "esp32c3",
      mac: "7cdfa1001122",
      ports: ["/dev/ttyUSB0", "/dev/ttyUSB1"],
      versions: ["1.0.0"],
      boots: { total: 1, unexpected: 0, reasons: { POWERON: 1 }, kept: [{ atMs: 1000, bootMs: 200 }] },
      panics: {
        total: 1,
        unexpected: 1,
        kept: [
          {
            kind: "load-access-fault",
            cause: "Guru Meditation",
            backtrace: ["measure (app.c:17)"],
            noticedMs: 21,
          },
        ],
      },
      clock: { uncertaintyMs: 0.25, skewPpm: 12 },
    });
    expect(observation.boards.skippedActions).toEqual([
      { atMs: 6000, action: "cut", reason: "virtual devices have no power", count: 1, things: ["v0"] },
    ]);
  });

  it("do not grow without end", () => {
    const { emit, observation } = observedRun();
    for (let i = 0; i < 1000; i += 1) emit(i, boot("g0", "POWERON", true));
    const [board] = observation.boards.records;
    expect(board!.boots.total).toBe(1000);
    expect(board!.boots.kept).toHaveLength(100);
    expect(board!.boots.kept[0]!.atMs).toBe(0);
    expect(board!.boots.kept.at(-1)!.atMs).toBe(0.999);
  });
});

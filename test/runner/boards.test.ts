import type { Bench, BoardClaim, BoardMemberOptions, ClaimedBoard } from "fleetrig/hil";
import { createRandomSource, type EventSink } from "fleetrig/kernel";
import type { RunRecord } from "fleetrig/reports";
import { type BoardControls, createFleet, type FleetMember } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../scenarios/runner/verdict.js";
import { runText } from "../determinism/run-text.js";

/** A bench in memory: its boards behave as virtual devices do, and note what only boards can have done to them. */
class PaperBench implements Bench {
  readonly done: string[] = [];
  isClosed = false;

  constructor(
    private readonly present: readonly string[],
    private readonly events: EventSink,
  ) {}

  claim(requests: Parameters<Bench["claim"]>[0]): Promise<readonly BoardClaim[]> {
    return Promise.resolve(
      requests.map(({ thing, path }) =>
        this.present.includes(thing)
          ? { thing, board: boardOf(thing, path) }
          : { thing, board: undefined, reason: "no board with chip esp32c3 is attached" },
      ),
    );
  }

  member(_board: ClaimedBoard, options: BoardMemberOptions): FleetMember {
    const { plan, group, clock, events, probe, run, dialer, faults } = options;
    const [device] = createFleet(
      { groups: [{ ...group, members: [plan] }] },
      {
        time: { lane: () => clock, nowUs: () => clock.nowUs(), wallMs: () => clock.wallMs() },
        random: createRandomSource(options.seed),
        events,
        probe,
        run,
        linkFor: () => ({ dialer, faults }),
      },
    ).members;
    return Object.assign(device!, { board: this.controls(plan.name, clock) });
  }

  image(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  private controls(thing: string, clock: BoardMemberOptions["clock"]): BoardControls {
    const note = (what: string): void => void this.done.push(`${thing} ${what}`);
    return {
      reset: () => note("reset"),
      powerCycle: (offUs) => note(`power ${offUs}`),
      sleep: (forUs) => note(`sleep ${forUs}`),
      stimulate: (stimulus) => note(`stimulate ${JSON.stringify(stimulus)}`),
      crash: (kind, refused) => {
        note(`crash ${kind}`);
        if (kind === "hang") refused?.("its firmware cannot hang");
      },
      awaitLog: ({ action, pattern }) => {
        note(`await ${pattern}`);
        if (pattern === "never ended") return;
        const failure = pattern === "comes" ? undefined : "timeout";
        const atUs = clock.nowUs();
        this.events.emit({ type: "board.log-awaited", atUs, thing, action, pattern, failure, waitedUs: 0 });
      },
    };
  }
}

const boardOf = (thing: string, path: "bridge" | "direct"): ClaimedBoard => ({
  thing,
  path,
  chip: "paper",
  mac: "7cdfa1001122",
  port: "/dev/null",
  version: "1.0.0",
  capabilities: [],
});

const scenario = (more: { stages?: string; expect?: string; bridges?: string } = {}): string => `
version: 1
name: boards
clock: real
bridges: ${more.bridges ?? "[{ id: x, group: mixed, count: 1, board: { chip: esp32c3 } }]"}
fleet:
  - group: mixed
    model: "builtin:temperature-sensor"
    count: 3
    telemetry: [{ every: 50ms, phase: aligned, topic: "t/{thingName}", qos: 1, payload: { seq: "{seq}" } }]
  - { group: hard, things: [h-1, h-2], requires: hardware }
stages:
  - { name: go, duration: 400ms, actions: [${more.stages ?? ""}] }
expect: [${more.expect ?? "delivery.lost == 0"}]
`;

async function run(text: string, present: readonly string[]) {
  let bench: PaperBench | undefined;
  const record = await runText(text, {
    openBench: ({ events }) => Promise.resolve((bench = new PaperBench(present, events))),
  });
  return { record, bench: bench! };
}

const exitCode = (run: RunRecord): number =>
  exitCodeOf({
    schemaVersion: 1,
    tool: { name: "fleetrig", version: "0" },
    verdict: run.verdict,
    runs: [run],
    sweeps: [],
  });

describe("boards in a run", () => {
  it("are members like any other, and the rest of their group stays virtual", async () => {
    const { record, bench } = await run(scenario({ expect: "connections.online == 3" }), ["mixed-0"]);
    expect(record).toMatchObject({ verdict: "passed", devices: 3 });
    expect(record.trust.skippedGroups).toEqual([
      { group: "hard", reason: "it needs a real board and none is attached" },
    ]);
    expect(bench.isClosed).toBe(true);
  });

  it("that are missing leave their members out, with the reason, and nobody takes their place", async () => {
    const { record } = await run(scenario({ expect: "connections.online == 2" }), []);
    expect(record).toMatchObject({ verdict: "passed", devices: 2 });
    expect(record.trust.skippedGroups[0]).toEqual({
      group: "mixed",
      reason: "1 of 3 things: no board with chip esp32c3 is attached",
    });
  });

  it("make a group that requires hardware take part, as far as they are there", async () => {
    const bridges = "[{ id: a, thing: h-1, board: { port: p } }, { id: b, thing: h-2, board: { port: q } }]";
    const { record } = await run(scenario({ bridges, expect: "connections.online == 4" }), ["h-2"]);
    expect(record).toMatchObject({ verdict: "passed", devices: 4 });
    expect(record.trust.skippedGroups).toEqual([
      { group: "hard", reason: "1 of 2 things: no board with chip esp32c3 is attached" },
    ]);
  });

  it("that are missing have their expectations skipped, never passed and never failed", async () => {
    const asked = ["connections.online{group=hard} == 0", "board.panics == 0", "delivery.lost == 0"];
    const { record } = await run(scenario({ expect: asked.map((one) => `"${one}"`).join(", ") }), []);
    expect(record.expectations.map(({ verdict, value }) => [verdict, value])).toEqual([
      ["skipped", null],
      ["skipped", null],
      ["pass", 0],
    ]);
    expect(record.expectations[0]!.reason).toBe("Skipped: it needs a real board and none is attached.");
    expect(record.trust.withoutData).toEqual([]);
    expect([record.verdict, exitCode(record)]).toEqual(["passed", 0]);
  });

  it("that were all that was asked about leave nothing shown", async () => {
    const { record } = await run(scenario({ expect: `"connections.online{group=hard} == 2"` }), []);
    expect([record.verdict, exitCode(record)]).toEqual(["inconclusive", 4]);
  });

  it("that are missing keep nobody waiting", async () => {
    const text = scenario({ expect: "delivery.lost == 0" }).replace(
      /^stages:[\s\S]*?(?=^expect)/m,
      "stages:\n  - { name: wait, until: 'connections.online{group=hard} == 2', timeout: 60s }\n",
    );
    const { record } = await run(text, []);
    expect(record.stages).toMatchObject([{ name: "wait", timedOut: false }]);
  });

  it("that are missing are named where a head count of everybody falls short, and where a stage waited for it", async () => {
    const text = scenario({ expect: "connections.online == 5, connections.online == 2" }).replace(
      /^stages:[\s\S]*?(?=^expect)/m,
      "stages:\n  - { name: wait, until: connections.online == 5, timeout: 1s }\n",
    );
    const { record } = await run(text, []);
    const missing =
      "3 of 5 things took no part. mixed-0: no board with chip esp32c3 is attached. h-1, h-2: it needs a real board and none is attached.";
    expect(record.verdict).toBe("failed");
    expect(record.expectations.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ["fail", `connections.online = 2, expected == 5. ${missing}`],
      ["pass", null],
      ["fail", `connections.online did not get there before the stage's timeout. ${missing}`],
    ]);
  });

  it("that are missing are named only where they are meant", async () => {
    const text = scenario({ expect: `"connections.online{group=mixed} == 4"` });
    const reasonWith = async (present: readonly string[]) =>
      (await run(text, present)).record.expectations.map(({ reason }) => reason);
    expect(await reasonWith(["mixed-0"])).toEqual(["connections.online{group=mixed} = 3, expected == 4."]);
    expect(await reasonWith([])).toEqual([
      "connections.online{group=mixed} = 2, expected == 4. 1 of 3 things took no part. mixed-0: no board with chip esp32c3 is attached.",
    ]);
  });

  it("that are missing are left out of what is done to them, by name, group or count", async () => {
    const stages = [
      "{ at: 10ms, reset: { id: named, select: { things: [mixed-0, h-1] } } }",
      "{ at: 10ms, reset: { id: group, select: { group: hard } } }",
      "{ at: 10ms, disconnect: { id: count, select: { group: mixed, count: 3 }, mode: graceful, hold: 10ms } }",
      "{ at: 10ms, updateShadow: { id: whole, select: { group: mixed }, desired: { a: 1 } } }",
      "{ at: 10ms, createJob: { jobId: j-1, targets: { group: hard }, document: {} } }",
    ].join(", ");
    const { record } = await run(`services: { jobs: true, shadows: true }${scenario({ stages })}`, []);
    expect(record.failure).toBeNull();
    expect(record.skippedActions?.map(({ action, things }) => [action, things])).toEqual([
      ["named", ["mixed-0"]],
      ["named", ["h-1"]],
      ["group", ["h-1", "h-2"]],
      ["go#4", ["h-1", "h-2"]],
    ]);
    const whom = record.faults.map(({ fault, things }) => [fault, things]);
    expect(whom).toContainEqual(["disconnect", ["mixed-1", "mixed-2"]]);
    expect(whom).toContainEqual(["updateShadow", ["mixed-1", "mixed-2"]]);
  });

  it("that are missing break a run that requires them", async () => {
    const text = scenario({ expect: "delivery.lost == 0" });
    const openBench = ({ events }: { events: EventSink }) => Promise.resolve(new PaperBench([], events));
    await expect(runText(text, { openBench, requiresBoards: true })).rejects.toMatchObject({
      code: "BENCH_NO_BOARD",
      exitCode: 3,
    });
  });

  it("hear of what only boards can have done to them; virtual devices are named as skipped", async () => {
    const stages = [
      "{ at: 10ms, reset: { id: r, select: { group: mixed } } }",
      "{ at: 20ms, powerCycle: { select: { things: [mixed-0] }, off: 2s } }",
      "{ at: 30ms, stimulate: { select: { things: [mixed-0] }, gpio: { 4: true }, adc: { 0: 1650 } } }",
      "{ at: 40ms, crash: { select: { things: [mixed-0] }, kind: load-fault } }",
      "{ at: 50ms, deepSleep: { select: { things: [mixed-0] }, for: 1s } }",
    ].join(", ");
    const { record, bench } = await run(scenario({ stages }), ["mixed-0"]);
    expect(record.failure).toBeNull();
    expect(bench.done).toEqual([
      "mixed-0 reset",
      "mixed-0 power 2000000",
      'mixed-0 stimulate {"gpio":{"4":true},"adcMillivolts":{"0":1650}}',
      "mixed-0 crash load-fault",
      "mixed-0 sleep 1000000",
    ]);
  });

  it("are named as skipped, too, where their firmware cannot do it", async () => {
    const stages = "{ at: 10ms, crash: { select: { things: [mixed-0] }, kind: hang } }";
    const { record } = await run(scenario({ stages }), ["mixed-0"]);
    expect(record.skippedActions).toMatchObject([
      { action: "go#0", things: ["mixed-0"], reason: "its firmware cannot hang" },
    ]);
  });

  it("fail the run at the action's line when a log line does not come", async () => {
    const stages = ["comes", "too late", "never ended"]
      .map((pattern) => `{ at: 10ms, awaitLog: { select: { things: [mixed-0] }, pattern: ${pattern} } }`)
      .join(", ");
    const text = scenario({ stages });
    const line = text.split("\n").findIndex((one) => one.includes("awaitLog")) + 1;
    const { record } = await run(text, ["mixed-0"]);
    const failed = record.expectations.filter(({ verdict }) => verdict === "fail");
    expect(record.verdict).toBe("failed");
    expect(failed.map(({ expr, measured, line }) => [expr, measured, line])).toEqual([
      ["too late", "mixed-0: timeout", line],
      ["never ended", "mixed-0: the run ended first", line],
    ]);
  });

  it("are one member of a group where a MAC chooses them", async () => {
    const bridges = "[{ id: x, group: mixed, board: { mac: '7C-DF-A1-00-11-22' } }]";
    const { record } = await run(scenario({ bridges, expect: "connections.online == 3" }), ["mixed-0"]);
    expect(record).toMatchObject({ verdict: "passed", devices: 3 });
  });

  it("cannot be the same thing for two bridges, nor more than a group has", async () => {
    const twice =
      "[{ id: a, thing: h-1, board: { port: p } }, { id: b, group: hard, count: 2, board: { port: q } }]";
    await expect(run(scenario({ bridges: twice }), [])).rejects.toMatchObject({
      code: "BENCH_TOO_FEW_MEMBERS",
    });
    const reversed =
      "[{ id: b, group: hard, board: { port: q } }, { id: a, thing: h-1, board: { port: p } }]";
    await expect(run(scenario({ bridges: reversed }), [])).rejects.toMatchObject({
      code: "BENCH_THING_TAKEN",
    });
  });
});

import { stormRecords } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { action, attempt, lost, MS, observedRun, opened, S } from "./observed-run.js";

/** Two things lose the link at 10 s, it returns at 40 s; they are back at 41 s and 43.5 s. */
const wave = () => {
  const run = observedRun({ fleet: { g: 3, h: 1 } });
  const { emit } = run;
  emit(0, { type: "stage.started", stage: "wave", measured: true });
  for (const thing of ["g0", "g1", "g2", "h0"]) emit(0, opened(thing));
  emit(10 * S, action("wave-1", "disconnect", ["g0", "g1"], { holdUs: 30 * S }));
  emit(10 * S, lost("g0", "wave-1"));
  emit(10 * S, lost("g1", "wave-1"));
  for (const at of [11, 13, 20]) {
    for (const thing of ["g0", "g1"]) {
      emit(at * S, attempt(thing));
      emit(at * S, { type: "connection.refused", thing, reason: "unreachable" });
    }
  }
  emit(40 * S, { type: "action.ended", action: "wave-1" });
  emit(40.05 * S, attempt("g1"));
  emit(40.06 * S, { type: "connection.refused", thing: "g1", reason: "server-busy" });
  emit(40.9 * S, attempt("g0"));
  emit(41 * S, opened("g0", { expected: true, resumed: true }));
  emit(43.4 * S, attempt("g1"));
  emit(43.5 * S, opened("g1", { expected: true, resumed: false }));
  return run;
};

describe("StormTracker", () => {
  it("measures a wave from the instant the link was restored", () => {
    const { read } = wave();
    expect(read("connections.lost{action=wave-1}")).toBe(2);
    expect(read("connections.lost{group=h}")).toBe(0);
    expect(read("reconnect.time{action=wave-1} min")).toBe(1 * S);
    expect(read("reconnect.time{action=wave-1} max")).toBe(3.5 * S);
    expect(read("reconnect.time{action=wave-1,since=down} max")).toBe(33.5 * S);
    expect(read("reconnect.attempts")).toBe(9);
    expect(read("reconnect.amplification")).toBe(4.5);
    expect(read("reconnect.peak_rate{window=1s}")).toBe(2);
    expect(read("reconnect.peak_rate{window=100ms}")).toBe(10);
    expect(read("reconnect.peak_to_mean")).toBeCloseTo(2 / (3 / 3.5));
    expect(read("reconnect.synchrony")).toBeCloseTo(1 / 3);
    expect(read("reconnect.refused_ratio")).toBeCloseTo(1 / 3);
    expect(read("reconnect.refused_ratio{reason=unreachable}")).toBe(0);
    expect(read("sessions.resumed_ratio")).toBe(0.5);
  });

  it("counts a thing that never came back with the time it has been away", () => {
    const run = observedRun();
    run.emit(0, lost("g0"));
    run.setNow(90 * S);
    expect(run.read("reconnect.time max")).toBe(90 * S);
  });

  it("takes each link to return after its own hold when the losses are spread, and at the end at the latest", () => {
    const run = observedRun();
    run.emit(0, action("wave", "disconnect", ["g0", "g1", "g2"], { overUs: 60 * S, holdUs: 30 * S }));
    run.emit(0, lost("g0", "wave"));
    run.emit(32 * S, opened("g0"));
    run.emit(60 * S, lost("g1", "wave"));
    run.emit(80 * S, lost("g2", "wave"));
    run.emit(90 * S, { type: "action.ended", action: "wave" });
    run.emit(91 * S, opened("g2"));
    run.emit(95 * S, opened("g1"));
    expect(run.read("reconnect.time{action=wave} min")).toBe(1 * S);
    expect(run.read("reconnect.time{action=wave} med")).toBe(2 * S);
    expect(run.read("reconnect.time{action=wave} max")).toBe(5 * S);
  });

  it("has no data for an action that cost nothing, and zero losses for one that took place", () => {
    const run = observedRun();
    run.emit(0, action("a", "disconnect", [], { holdUs: S }));
    expect(run.read("connections.lost{action=a}")).toBe(0);
    expect(run.read("connections.lost{action=b}")).toMatch(/"b" cost no connection/);
    expect(run.read("reconnect.time{action=a} max")).toMatch(/cost no connection/);
    expect(run.read("reconnect.peak_rate")).toMatch(/no connection was lost/);
    expect(run.read("wills.published{action=b}")).toMatch(/cost no connection/);
  });

  it("tells dropped connections from those an action asked for", () => {
    const run = observedRun();
    run.emit(0, { type: "stage.started", stage: "a", measured: true });
    run.emit(1, lost("g0"));
    run.emit(2, lost("g1", "wave"));
    run.emit(3, { type: "stage.started", stage: "b", measured: false });
    run.emit(4, lost("g2"));
    expect([run.read("connections.dropped"), run.read("connections.dropped{stage=b}")]).toEqual([1, 1]);
    expect(run.read("connections.lost{stage=a}")).toBe(2);
    expect(run.read("connections.lost")).toBe(3);
    expect(run.read("connections.dropped{stage=c}")).toMatch(/did not run/);
    expect(run.read("connections.dropped{group=nobody}")).toMatch(/no things/);
  });

  it("gives a will to the outage its client fell into last", () => {
    const run = observedRun();
    run.emit(0, action("wave", "disconnect", ["g0"]));
    run.emit(0, lost("g0", "wave"));
    run.emit(10 * S, { type: "will.published", clientId: "g0", topic: "status/g0" });
    run.emit(10 * S, { type: "will.published", clientId: "g1", topic: "status/g1" });
    run.emit(11 * S, { type: "will.suppressed", clientId: "g0" });
    expect(run.read("wills.published{action=wave}")).toBe(1);
    expect(run.read("wills.published")).toBe(2);
    expect(run.read("wills.suppressed{action=wave,group=g}")).toBe(1);
    expect(run.read("wills.suppressed{group=h}")).toBe(0);
  });

  it("counts things that are connected now", () => {
    const run = observedRun({ fleet: { g: 4, h: 4 } });
    for (const thing of ["g0", "g1", "g2", "g3", "h0", "stranger"])
      run.emit(0, opened(thing, { connectUs: 5 * MS }));
    run.emit(1, { type: "connection.closed", thing: "g3" });
    expect(run.read("connections.online{group=g}")).toBe(0.75);
    expect(run.read("connections.online")).toBe(0.5);
    expect(run.read("connections.online count")).toBe(4);
    expect(run.read("connections.online{group=x}")).toMatch(/no things in "x"/);
    expect(run.read("connect.time{group=g} max")).toBe(5 * MS);
    expect(run.read("connect.time{group=h} count")).toBe(1);
  });

  it("times the backlog of qos 1 messages after the restore", () => {
    const stream = { name: "s", group: "g", qos: 1, observed: true } as const;
    const run = observedRun({ streams: [stream] });
    const { probe } = run.observation;
    run.emit(0, action("wave", "disconnect", ["g0"], { holdUs: 10 * S }));
    run.emit(0, lost("g0", "wave"));
    for (let i = 0; i < 5; i += 1) probe.sent(0, 0, i, i * S, 11 * S);
    run.emit(11 * S, attempt("g0"));
    run.emit(11 * S, opened("g0"));
    for (let i = 0; i < 5; i += 1) probe.received(0, 0, i, (12 + i) * S, false);
    probe.sent(0, 0, 5, 17 * S, 17 * S);
    probe.received(0, 0, 5, 20 * S, false);
    expect(run.read("recovery.backlog_time{action=wave}")).toBe(6 * S);
    expect(run.read("recovery.backlog_time{action=other}")).toMatch(/no link was restored/);
  });

  it("grades backoff from the attempts of a whole outage", () => {
    const run = observedRun({ fleet: { g: 2 } });
    run.emit(0, lost("g0"));
    run.emit(0, lost("g1"));
    for (const [thing, times] of [
      ["g0", [1, 2.2, 3, 7.9, 9, 30]],
      ["g1", [1, 2, 4, 8]],
    ] as const) {
      for (const at of times) run.observation.emit({ ...attempt(thing), atUs: at * S });
    }
    expect(run.read("reconnect.backoff_grade")).toBe("jittered");
    expect(run.read("reconnect.backoff_grade{group=h}")).toMatch(/no connection was lost/);
  });

  it("writes a row per action and group", () => {
    const { observation } = wave();
    const [storm, ...others] = stormRecords(observation, () => "full-jitter", 60 * S);
    expect(others).toEqual([]);
    expect(storm).toMatchObject({
      action: "wave-1",
      group: "g",
      policy: "full-jitter",
      lost: 2,
      downMs: 10_000,
      restoredMs: 40_000,
      peakPerSecond: 2,
      amplification: 4.5,
      grade: null,
      backMs: { p50: 1000, p95: 3500, all: 3500 },
    });
    expect(storm!.attempts.points.reduce((sum: number, rate) => sum + (rate ?? 0), 0)).toBe(9);
  });
});

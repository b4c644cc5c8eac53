import { Histogram, METRICS, metricRecords, SAMPLED_GAUGES, seriesRecords } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { lost, MS, observedRun, opened, S } from "./observed-run.js";

const stream = { name: "s", group: "g", qos: 1, observed: true } as const;

describe("Observation", () => {
  it("measures every metric of the catalogue", () => {
    const { observation } = observedRun();
    expect([...observation.store.names].sort()).toEqual(METRICS.map((metric) => metric.name).sort());
  });

  it("keeps stages from events", () => {
    const { observation, emit } = observedRun();
    emit(0, { type: "stage.started", stage: "a", measured: false });
    emit(5 * S, { type: "stage.ended", stage: "a", timedOut: true });
    emit(5 * S, { type: "stage.started", stage: "b", measured: true });
    expect(observation.stages.spans.slice(1)).toEqual([
      { name: "a", startUs: 0, measured: false, endUs: 5 * S, timedOut: true },
      { name: "b", startUs: 5 * S, measured: true, endUs: undefined, timedOut: false },
    ]);
  });

  it("keeps sampled gauges by label, and has no data before the first sample", () => {
    const { observation, read } = observedRun();
    expect(read("process.rss max")).toMatch(/never sampled/);
    for (const name of SAMPLED_GAUGES) observation.sample(name, 7);
    observation.sample("broker.connect_queue", 3);
    expect([
      read("broker.connect_queue max"),
      read("broker.connect_queue"),
      read("broker.connect_queue avg"),
    ]).toEqual([7, 3, 5]);
  });

  it("counts what the broker dropped and refused, by reason, group and stage", () => {
    const { emit, read } = observedRun({ fleet: { g: 1, h: 1 } });
    emit(0, { type: "stage.started", stage: "a", measured: true });
    emit(1, { type: "broker.dropped", clientId: "g0", reason: "QUEUE_FULL", topic: "t" });
    emit(1, { type: "broker.dropped", clientId: "g0", reason: "QUEUE_FULL", topic: "t" });
    emit(1, { type: "broker.dropped", clientId: "h0", reason: "EXPIRED", topic: "t" });
    emit(1, { type: "broker.refused", clientId: "h0", reason: "SERVER_BUSY" });
    expect([
      read("broker.dropped"),
      read("broker.dropped{reason=QUEUE_FULL}"),
      read("broker.dropped{group=h}"),
    ]).toEqual([3, 2, 1]);
    expect([read("broker.refused"), read("broker.refused{stage=a,reason=SERVER_BUSY}")]).toEqual([1, 1]);
    expect(read("broker.refused{stage=b}")).toMatch(/did not run/);
  });

  it("draws at most 600 points of every curve", () => {
    const run = observedRun({ streams: [stream] });
    run.emit(0, opened("g0"));
    for (let i = 0; i < 2000; i += 1) {
      run.observation.probe.sent(0, 0, i, i * S, i * S);
      run.observation.probe.received(0, 0, i, i * S + 20 * MS, false);
    }
    run.emit(1000 * S, lost("g0"));
    const series = seriesRecords(run.observation);
    const named = (name: string) => series.find((one) => one.name === name)!;
    for (const { points } of series) expect(points.length).toBeLessThanOrEqual(600);
    expect(named("delivery.sent")).toMatchObject({ unit: "/s", startMs: 0, stepMs: 4000 });
    expect(named("delivery.sent").points.slice(0, 499)).toEqual(Array.from({ length: 499 }, () => 1));
    expect(named("latency.e2e").points[3]).toBeGreaterThan(19);
    expect(named("latency.e2e").points[3]).toBeLessThan(21);
    expect(named("connections.online").points.slice(0, 2)).toEqual([1, 1]);
    expect(named("connections.online").points.at(-1)).toBe(0);
  });

  it("writes metrics with data for every set of labels that applies to them", () => {
    const run = observedRun({ streams: [stream] });
    run.emit(0, { type: "stage.started", stage: "a", measured: true });
    run.observation.probe.sent(0, 0, 0, 0, 0);
    run.observation.probe.received(0, 0, 0, 20 * MS, false);
    run.setNow(10 * S);
    const rows = metricRecords(run.observation.store, [{}, { stage: "a" }, { rule: "r" }]);
    const row = (name: string, labels = {}) =>
      rows.find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels));
    expect(row("latency.e2e", { stage: "a" })).toMatchObject({
      kind: "histogram",
      unit: "ms",
      value: null,
      summary: { count: 1, p50: 20, max: 20 },
    });
    expect(Histogram.fromHdr(row("latency.e2e")!.hdr!).count).toBe(1);
    expect(row("telemetry.published", { stage: "a" })).toMatchObject({
      kind: "number",
      unit: "count",
      value: 1,
      hdr: null,
    });
    expect(row("connections.online")).toMatchObject({ kind: "number", unit: "ratio", value: 0 });
    expect(row("job.terminal")).toMatchObject({ kind: "boolean", value: false });
    expect(row("delivery.lost")).toBeUndefined();
    expect(row("latency.ack")).toBeUndefined();
    expect(row("rules.fired", { rule: "r" })).toBeUndefined();
  });
});

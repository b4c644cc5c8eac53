import { createLedger, deliveryMetrics, MetricStore, StageTimeline, type StreamInfo } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

const value = { name: "value", percentile: undefined } as const;
const S = 1_000_000;
const MS = 1_000;

const rig = (streams: readonly Partial<StreamInfo>[] = [{}], things = 2) => {
  const stages = new StageTimeline();
  const ledger = createLedger({
    streams: streams.map((stream, i) => ({ name: `s${i}`, group: "g", qos: 1, observed: true, ...stream })),
    things: Array.from({ length: things }, (_, i) => ({ name: `t${i}`, group: "g" })),
    stages,
  });
  let now = 0;
  const store = new MetricStore(deliveryMetrics(ledger, () => now));
  const read = (name: string, labels = {}, aggregation: Parameters<MetricStore["query"]>[2] = value) => {
    const result = store.query(name, labels, aggregation);
    return result.kind === "value" ? result.value : result.reason;
  };
  /** One message that arrives and is acknowledged. */
  const deliver = (sequence: number, atUs: number, thing = 0, stream = 0) => {
    ledger.sent(stream, thing, sequence, atUs, atUs);
    ledger.received(stream, thing, sequence, atUs + 20 * MS, false);
    ledger.acked(stream, thing, sequence, atUs + 30 * MS, 0);
  };
  return { stages, ledger, read, deliver, setNow: (us: number) => (now = us) };
};

const p = (percentile: number) => ({ name: "p", percentile }) as const;

describe("Ledger", () => {
  it("measures latency from the intended time, service time from the sending, and the lag between them", () => {
    const { ledger, read } = rig();
    ledger.sent(0, 0, 0, 1000, 1500);
    ledger.received(0, 0, 0, 2900, false);
    ledger.acked(0, 0, 0, 2600, 0);
    expect(read("latency.e2e", {}, p(50))).toBe(1900);
    expect(read("latency.service", {}, p(50))).toBe(1400);
    expect(read("latency.ack", {}, p(50))).toBe(1600);
    expect(read("generator.schedule_lag", {}, p(99))).toBe(500);
    expect(ledger.outstanding).toBe(0);
  });

  it("does not blame the generator for messages that waited for a connection", () => {
    const { ledger, read } = rig();
    ledger.connectionOpened(0, 5 * S);
    ledger.sent(0, 0, 0, 1 * S, 5 * S);
    ledger.sent(0, 0, 1, 6 * S, 6 * S);
    expect(read("generator.schedule_lag", {}, { name: "count", percentile: undefined })).toBe(1);
    expect(read("generator.schedule_lag", {}, { name: "max", percentile: undefined })).toBe(0);
  });

  it.each([0, 1, 17, 1000])("reports exactly %d lost messages, at qos 0 and 1", (lost) => {
    for (const qos of [0, 1] as const) {
      const { ledger, read } = rig([{ qos }]);
      const total = 5000;
      const step = lost === 0 ? Number.POSITIVE_INFINITY : Math.floor(total / lost);
      let dropped = 0;
      for (let i = 0; i < total; i += 1) {
        ledger.sent(0, i % 2, i >> 1, i, i);
        if (qos === 1) ledger.acked(0, i % 2, i >> 1, i + 10, 0);
        if (i % step === 0 && dropped < lost) dropped += 1;
        else ledger.received(0, i % 2, i >> 1, i + 20, false);
      }
      expect(read("delivery.lost")).toMatch(/on their way/);
      ledger.settle(total);
      expect(read("delivery.lost")).toBe(lost);
      expect(read("delivery.acked_but_lost")).toBe(qos === 1 ? lost : 0);
      expect(read("delivery.ratio")).toBe((total - lost) / total);
      expect(ledger.outstanding).toBe(lost);
    }
  });

  it("does not expect what was never acknowledged, and counts it", () => {
    const { ledger, read, deliver } = rig();
    deliver(0, 0);
    ledger.sent(0, 0, 1, S, S);
    ledger.sent(0, 0, 2, 2 * S, 2 * S);
    ledger.received(0, 0, 2, 2 * S + 5, false);
    ledger.settle(10 * S);
    expect([read("delivery.lost"), read("delivery.unacked"), read("delivery.received")]).toEqual([0, 2, 2]);
    expect(read("delivery.ratio")).toBe(1);
  });

  it("splits duplicates by the DUP flag, also long after the message was settled", () => {
    const { ledger, read, deliver } = rig();
    for (let i = 0; i < 100; i += 1) deliver(i, i * S);
    ledger.received(0, 0, 3, 200 * S, true);
    ledger.received(0, 0, 3, 201 * S, false);
    ledger.received(0, 0, 99, 201 * S, false);
    expect(read("delivery.duplicates")).toBe(3);
    expect([
      read("delivery.duplicates", { dup: "true" }),
      read("delivery.duplicates", { dup: "false" }),
    ]).toEqual([1, 2]);
    expect(read("delivery.duplicate_ratio")).toBe(0.03);
  });

  it("calls a message reordered when a later one of its thing and stream came first (RFC 4737)", () => {
    const { ledger, read } = rig();
    for (let i = 0; i < 5; i += 1) ledger.sent(0, 0, i, i, i);
    for (const i of [0, 3, 1, 2, 4]) ledger.received(0, 0, i, 100 + i, false);
    expect(read("delivery.reordered")).toBe(2);
  });

  it("keeps refusals by reason code, and calls their arrival unexpected", () => {
    const { ledger, read } = rig();
    for (let i = 0; i < 4; i += 1) ledger.sent(0, 0, i, i, i);
    ledger.acked(0, 0, 0, 10, 0x87);
    ledger.acked(0, 0, 1, 10, 0x97);
    ledger.acked(0, 0, 2, 10, 0x87);
    ledger.acked(0, 0, 3, 10, 0x10);
    ledger.received(0, 0, 1, 20, false);
    ledger.received(0, 0, 77, 20, false);
    ledger.settle(S);
    expect(read("delivery.refused")).toBe(3);
    expect([read("delivery.refused", { code: "0x87" }), read("delivery.refused", { code: "151" })]).toEqual([
      2, 1,
    ]);
    expect([read("delivery.unexpected"), read("delivery.no_subscribers"), read("delivery.lost")]).toEqual([
      2, 1, 1,
    ]);
  });

  it("counts what the offline buffer gave up and what was sent again", () => {
    const { ledger, read } = rig();
    ledger.discarded(0, 0, 0, 0);
    ledger.sent(0, 0, 1, S, S);
    ledger.retransmitted(0, 0, 1);
    ledger.received(0, 0, 0, 2 * S, false);
    expect([read("delivery.discarded"), read("delivery.retransmitted"), read("delivery.unexpected")]).toEqual(
      [1, 1, 1],
    );
    expect(read("telemetry.published")).toBe(1);
  });

  it("attributes by the stage that scheduled the message and leaves unmeasured stages out unless named", () => {
    const { stages, ledger, read, deliver } = rig();
    stages.start("ramp", 0, false);
    deliver(0, 1 * S);
    ledger.sent(0, 0, 1, 9.99 * S, 9.99 * S);
    stages.start("steady", 10 * S, true);
    ledger.received(0, 0, 1, 10.01 * S, false);
    deliver(2, 10 * S);
    deliver(3, 11 * S);
    ledger.received(0, 0, 0, 11.5 * S, false);
    expect(read("telemetry.published")).toBe(2);
    expect([
      read("telemetry.published", { stage: "ramp" }),
      read("telemetry.published", { stage: "steady" }),
    ]).toEqual([2, 2]);
    expect([read("delivery.duplicates"), read("delivery.duplicates", { stage: "ramp" })]).toEqual([0, 1]);
    expect(read("telemetry.published", { stage: "drain" })).toMatch(/did not run/);
  });

  it("filters by group, qos and stream, and has no data for what does not exist", () => {
    const stages = new StageTimeline();
    const ledger = createLedger({
      streams: [
        { name: "a", group: "g", qos: 0, observed: true },
        { name: "b", group: "h", qos: 1, observed: true },
        { name: "a", group: "h", qos: 1, observed: false },
      ],
      things: ["g", "h", "g"].map((group, i) => ({ name: `t${i}`, group })),
      stages,
    });
    ledger.sent(0, 2, 0, 0, 0);
    ledger.sent(1, 1, 0, 0, 0);
    ledger.sent(2, 1, 0, 0, 0);
    ledger.acked(2, 1, 0, 5, 0);
    ledger.received(2, 1, 0, 5, false);
    const store = new MetricStore(deliveryMetrics(ledger, () => 0));
    const published = (labels: object) => store.query("telemetry.published", labels, value);
    expect(published({ group: "g" })).toMatchObject({ value: 1 });
    expect(published({ stream: "a" })).toMatchObject({ value: 2 });
    expect(published({ qos: "1", group: "h" })).toMatchObject({ value: 2 });
    expect(published({ qos: "2" })).toMatchObject({ kind: "none" });
    ledger.settle(1);
    expect(store.query("delivery.lost", { group: "h", stream: "a" }, value)).toMatchObject({ kind: "none" });
    expect(store.query("delivery.unexpected", { group: "h" }, value)).toMatchObject({ value: 1 });
  });

  it("shows a stall of 2 s in a stream of 100 messages per second in latency.e2e p(99)", () => {
    const { ledger, read } = rig();
    const stall = { from: 50 * S, to: 52 * S };
    for (let i = 0; i < 10_000; i += 1) {
      const at = i * 10 * MS;
      const sentUs = at >= stall.from && at < stall.to ? stall.to : at;
      ledger.sent(0, 0, i, at, sentUs);
      ledger.received(0, 0, i, sentUs + MS, false);
    }
    expect(read("latency.service", {}, p(99))).toBe(MS);
    expect(read("latency.e2e", {}, p(99))).toBeGreaterThan(0.9 * S);
    const tail = rig();
    for (let i = 0; i < 6000; i += 1) {
      const at = i * 10 * MS;
      const sentUs = at >= stall.from && at < stall.to ? stall.to : at;
      tail.ledger.sent(0, 0, i, at, sentUs);
      tail.ledger.received(0, 0, i, sentUs + MS, false);
    }
    expect(tail.read("latency.e2e", {}, p(99))).toBeGreaterThan(1.3 * S);
  });

  it("samples once a second how old the newest value of each thing is", () => {
    const { ledger, read } = rig([{ qos: 0 }], 1);
    ledger.sent(0, 0, 0, 0, 0);
    ledger.received(0, 0, 0, 100 * MS, false);
    ledger.sent(0, 0, 1, 4 * S, 4 * S);
    ledger.received(0, 0, 1, 4.1 * S, false);
    ledger.settle(7 * S);
    expect(read("delivery.staleness", {}, { name: "count", percentile: undefined })).toBe(6);
    expect(read("delivery.staleness", {}, { name: "max", percentile: undefined })).toBe(4 * S);
    expect(read("delivery.staleness", {}, { name: "min", percentile: undefined })).toBe(1 * S);
    expect(read("delivery.staleness", { group: "none" }, p(50))).toBe("no samples");
  });

  it("times the output of a rule from the intended time of its trigger", () => {
    const { ledger, deliver } = rig();
    const outputs: (number | undefined)[] = [];
    ledger.onRuleOutput((_rule, _stage, latencyUs) => outputs.push(latencyUs));
    for (let i = 0; i < 40; i += 1) deliver(i, i * S);
    ledger.sent(0, 1, 0, 0, 0);
    ledger.ruleOutput("r", 0, 0, 39, 39 * S + 5);
    ledger.ruleOutput("r", 0, 0, 3, 50 * S);
    ledger.ruleOutput("r", 0, 1, 0, 70);
    expect(outputs).toEqual([5, undefined, 70]);
  });

  it("gives the rate of a counter over the measured time", () => {
    const { stages, read, deliver, setNow } = rig();
    stages.start("ramp", 0, false);
    stages.start("steady", 10 * S, true);
    for (let i = 0; i < 50; i += 1) deliver(i, 10 * S + i * 100 * MS);
    setNow(15 * S);
    expect(read("delivery.sent", {}, { name: "rate", percentile: undefined })).toBe(10);
    expect(read("delivery.sent", { stage: "ramp" }, { name: "rate", percentile: undefined })).toBe(0);
  });

  it("draws rates and latency over time", () => {
    const { ledger, deliver } = rig();
    for (let i = 0; i < 20; i += 1) deliver(i, i * 100 * MS);
    const { published, received, e2e, bins } = ledger.curves;
    expect(published.perSecond()).toEqual([10, 10]);
    expect(received.perSecond().reduce((sum, rate) => sum + rate, 0)).toBe(20);
    expect(e2e.percentiles(50)[0]! / (20 * MS)).toBeCloseTo(1, 1);
    deliver(20, 3600 * S);
    expect(bins.used).toBeLessThanOrEqual(600);
    expect(published.perSecond().reduce((sum, rate) => sum + rate, 0) * (bins.widthUs / S)).toBeCloseTo(21);
  });
});

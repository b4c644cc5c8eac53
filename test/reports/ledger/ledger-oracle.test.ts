import * as fc from "fast-check";
import { createLedger, deliveryMetrics, MetricStore, StageTimeline } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

/** Keeps every message for ever and computes each count the slow, obvious way. */
class Oracle {
  readonly messages = new Map<
    string,
    { qos: number; stage: number; acked: boolean; refused: boolean; copies: number }
  >();
  reordered = 0;
  duplicates = 0;
  unexpected = 0;
  private readonly highest = new Map<string, number>();

  sent(slot: string, sequence: number, qos: number, stage: number): void {
    this.messages.set(`${slot}/${sequence}`, { qos, stage, acked: false, refused: false, copies: 0 });
  }

  acked(slot: string, sequence: number, isRefusal: boolean): void {
    const message = this.messages.get(`${slot}/${sequence}`);
    if (message === undefined || message.acked || message.refused) return;
    if (isRefusal) message.refused = true;
    else message.acked = true;
  }

  received(slot: string, sequence: number): void {
    const message = this.messages.get(`${slot}/${sequence}`);
    if (message === undefined || message.refused) {
      this.unexpected += 1;
      return;
    }
    message.copies += 1;
    if (message.copies > 1) {
      this.duplicates += 1;
      return;
    }
    const highest = this.highest.get(slot) ?? -1;
    if (sequence < highest) this.reordered += 1;
    else this.highest.set(slot, sequence);
  }

  count(
    predicate: (message: {
      qos: number;
      stage: number;
      acked: boolean;
      refused: boolean;
      copies: number;
    }) => boolean,
  ) {
    return [...this.messages.values()].filter(predicate).length;
  }
}

const QOS = [0, 1, 1] as const;
const step = fc.record({
  verb: fc.constantFrom("send", "send", "receive", "receive", "ack", "refuse", "stage"),
  stream: fc.nat({ max: 2 }),
  thing: fc.nat({ max: 2 }),
  back: fc.nat({ max: 6 }),
});

describe("Ledger against an oracle that keeps everything", () => {
  it("agrees on every count, whatever is sent, acknowledged, repeated, reordered or lost", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const stages = new StageTimeline();
        const ledger = createLedger({
          streams: QOS.map((qos, i) => ({ name: `s${i}`, group: "g", qos, observed: true })),
          things: [0, 1, 2].map((i) => ({ name: `t${i}`, group: "g" })),
          stages,
        });
        const oracle = new Oracle();
        const next = new Map<string, number>();
        stages.start("stage0", 0, true);
        steps.forEach(({ verb, stream, thing, back }, at) => {
          const now = (at + 1) * 1000;
          const slot = `${stream}/${thing}`;
          const end = next.get(slot) ?? 0;
          const sequence = Math.max(0, end - 1 - back);
          if (verb === "stage") stages.start(`stage${stages.current}`, now, true);
          else if (verb === "send") {
            ledger.sent(stream, thing, end, now, now);
            oracle.sent(slot, end, QOS[stream]!, stages.current);
            next.set(slot, end + 1);
          } else if (verb === "receive") {
            ledger.received(stream, thing, sequence, now, false);
            oracle.received(slot, sequence);
          } else if (QOS[stream] === 1 && !(verb === "refuse" && hasArrived(oracle, slot, sequence))) {
            ledger.acked(stream, thing, sequence, now, verb === "refuse" ? 0x97 : 0);
            oracle.acked(slot, sequence, verb === "refuse");
          }
        });
        ledger.settle((steps.length + 1) * 1000);
        compare(new MetricStore(deliveryMetrics(ledger, () => 0)), oracle, stages);
      }),
      { numRuns: 300 },
    );
  });
});

/** A broker never refuses what it has delivered. */
const hasArrived = (oracle: Oracle, slot: string, sequence: number): boolean =>
  (oracle.messages.get(`${slot}/${sequence}`)?.copies ?? 0) > 0;

function compare(store: MetricStore, oracle: Oracle, stages: StageTimeline): void {
  const read = (name: string, labels = {}): number => {
    const value = store.query(name, labels, { name: "value", percentile: undefined });
    return value.kind === "value" ? (value.value as number) : 0;
  };
  const isExpected = (m: { qos: number; acked: boolean }): boolean => m.qos === 0 || m.acked;
  expect(read("delivery.sent")).toBe(oracle.messages.size);
  expect(read("delivery.received")).toBe(oracle.count((m) => m.copies > 0));
  expect(read("delivery.lost")).toBe(oracle.count((m) => isExpected(m) && m.copies === 0));
  expect(read("delivery.acked_but_lost")).toBe(oracle.count((m) => m.acked && m.copies === 0));
  expect(read("delivery.unacked")).toBe(oracle.count((m) => m.qos === 1 && !m.acked && !m.refused));
  expect(read("delivery.refused")).toBe(oracle.count((m) => m.refused));
  expect(read("delivery.duplicates")).toBe(oracle.duplicates);
  expect(read("delivery.reordered")).toBe(oracle.reordered);
  expect(read("delivery.unexpected")).toBe(oracle.unexpected);
  stages.spans.forEach(({ name }, index) => {
    if (name === "") return;
    expect(read("delivery.lost", { stage: name })).toBe(
      oracle.count((m) => m.stage === index && isExpected(m) && m.copies === 0),
    );
    expect(read("delivery.sent", { stage: name })).toBe(oracle.count((m) => m.stage === index));
  });
}

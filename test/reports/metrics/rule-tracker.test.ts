import { formatTraceTag } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { observedRun, S } from "./observed-run.js";

const fired = (rule: string, sequence: number | undefined, thing = 0) =>
  ({
    type: "rule.fired",
    rule,
    topic: "t",
    trace: sequence === undefined ? undefined : formatTraceTag("run", 0, thing, sequence),
  }) as const;

const stream = { name: "s", group: "g", qos: 1, observed: true } as const;
const run = () => observedRun({ streams: [stream], rules: ["hot", "cold"] });

describe("RuleTracker", () => {
  it("compares what fired with what should have, whichever is told first", () => {
    const { observation, emit, read } = run();
    for (const sequence of [1, 2, 3, 200]) observation.rules.should("hot", 0, 0, sequence);
    for (const sequence of [1, 2, 9]) emit(sequence, fired("hot", sequence));
    observation.rules.should("hot", 0, 0, 9);
    observation.rules.should("hot", 0, 0, 9);
    emit(20, fired("hot", 50));
    emit(21, fired("hot", 2));
    expect(read("rules.recall{rule=hot}")).toBe(3 / 5);
    expect(read("rules.precision{rule=hot}")).toBe(3 / 4);
    expect(read("rules.fired{rule=hot}")).toBe(5);
  });

  it("keeps things and rules apart, and judges tagged firings only", () => {
    const { observation, emit, read } = run();
    observation.rules.should("hot", 0, 1, 7);
    emit(0, fired("hot", 7, 0));
    emit(0, fired("hot", 7, 1));
    emit(0, fired("hot", undefined));
    emit(0, { ...fired("hot", 0), trace: "not a tag" });
    expect(read("rules.precision{rule=hot}")).toBe(1 / 2);
    expect(read("rules.fired{rule=hot}")).toBe(4);
    expect(read("rules.recall{rule=hot}")).toBe(1);
    expect(read("rules.recall{rule=cold}")).toMatch(/had to fire/);
    expect(read("rules.precision{rule=cold}")).toMatch(/never fired/);
    expect(read("rules.fired{rule=cold}")).toBe(0);
    expect(read("rules.fired{rule=nope}")).toMatch(/no rule "nope"/);
    expect(observedRun().read("rules.fired")).toMatch(/no rules/);
  });

  it("times outputs by the stage of their trigger", () => {
    const { observation, emit, read } = run();
    emit(0, { type: "stage.started", stage: "a", measured: true });
    observation.probe.sent(0, 0, 0, 1 * S, 1 * S);
    emit(2 * S, { type: "stage.started", stage: "b", measured: true });
    observation.probe.ruleOutput("hot", 0, 0, 0, 2.5 * S);
    observation.probe.ruleOutput("hot", 0, 3, 77, 2.5 * S);
    emit(3 * S, { type: "rule.error", rule: "hot", action: "republish", message: "no" });
    expect(read("rules.latency{rule=hot,stage=a} max")).toBe(1.5 * S);
    expect(read("rules.latency{rule=hot} count")).toBe(1);
    expect([read("rules.untimed{rule=hot}"), read("rules.untimed{rule=cold}")]).toEqual([1, 0]);
    expect(read("rules.latency{rule=hot,stage=b} max")).toMatch(/no samples/i);
    expect(read("rules.latency{stage=c} max")).toMatch(/did not run/);
    expect([read("rules.errors{rule=hot}"), read("rules.errors{rule=cold}")]).toEqual([1, 0]);
  });
});

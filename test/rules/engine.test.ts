import { RULE_PROPERTY, Random, type RunEvent, TRACE_PROPERTY, VirtualTime } from "fleetrig/kernel";
import {
  ApplicationMessage,
  type MessageBus,
  type OutgoingMessage,
  RuleEngine,
  type TopicRule,
} from "fleetrig/broker";
import { describe, expect, it } from "vitest";

interface Rig {
  readonly engine: RuleEngine;
  readonly published: OutgoingMessage[];
  readonly events: RunEvent[];
  send(topic: string, payload: unknown, trace?: string): void;
}

const rig = (rules: readonly TopicRule[], options: { feedBack?: boolean } = {}): Rig => {
  const time = new VirtualTime();
  const published: OutgoingMessage[] = [];
  const events: RunEvent[] = [];
  const bus: MessageBus = {
    publish: (message) => {
      published.push(message);
      const payload = Buffer.from(message.payload);
      const fields = {
        topic: message.topic,
        payload,
        qos: message.qos,
        retain: false,
        userProperties: message.userProperties ?? [],
      };
      if (options.feedBack === true) engine.handle(new ApplicationMessage(fields, undefined, 0));
    },
    sendDirect: () => false,
  };
  const engine = new RuleEngine({
    clock: time.lane(2),
    random: Random.seeded("rules"),
    bus,
    events: { emit: (event) => events.push(event) },
  });
  for (const rule of rules) engine.createRule(rule);
  return {
    engine,
    published,
    events,
    send: (topic, payload, trace) => {
      const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
      const properties = trace === undefined ? {} : { userProperties: [[TRACE_PROPERTY, trace] as const] };
      engine.handle(
        new ApplicationMessage({ topic, payload: bytes, qos: 1, retain: false, ...properties }, "c1", 0),
      );
    },
  };
};

const highTemp: TopicRule = {
  ruleName: "high-temp",
  sql: "SELECT thing, temperature FROM 'b/+/telemetry' WHERE temperature > 30",
  actions: [{ republish: { topic: "alerts/${thing}", qos: 1 } }],
};

describe("RuleEngine", () => {
  it("republishes the selected fields when WHERE holds, and only then", () => {
    const { send, published } = rig([highTemp]);
    send("b/1/telemetry", { thing: "t1", temperature: 24.5 });
    send("b/1/telemetry", { thing: "t1", temperature: 32.1 });
    send("other", { thing: "t1", temperature: 99 });
    expect(published).toEqual([
      { topic: "alerts/t1", payload: '{"thing":"t1","temperature":32.1}', qos: 1, userProperties: [] },
    ]);
  });

  it("copies the trace tag and names the rule on what it republishes", () => {
    const { send, published, events } = rig([highTemp]);
    send("b/1/telemetry", { thing: "t1", temperature: 31 }, "run.0.1.2");
    expect(published[0]?.userProperties).toEqual([
      [TRACE_PROPERTY, "run.0.1.2"],
      [RULE_PROPERTY, "high-temp"],
    ]);
    expect(events).toEqual([
      { type: "rule.fired", atUs: 0, rule: "high-temp", topic: "b/1/telemetry", trace: "run.0.1.2" },
    ]);
  });

  it("runs every matching rule and every action", () => {
    const second: TopicRule = {
      ...highTemp,
      ruleName: "all",
      sql: "SELECT * FROM 'b/#'",
      actions: [{ record: { sink: "s" } }, { record: { sink: "t" } }],
    };
    const { send, engine, published } = rig([highTemp, second]);
    send("b/1/telemetry", { thing: "t", temperature: 40 });
    expect(published).toHaveLength(1);
    expect(engine.recorded.map(({ sink, payload }) => [sink, payload])).toEqual([
      ["s", '{"thing":"t","temperature":40}'],
      ["t", '{"thing":"t","temperature":40}'],
    ]);
  });

  it("does not let a device put wildcards into the topic of an action", () => {
    const { send, published, events } = rig([highTemp]);
    send("b/1/telemetry", { thing: "#", temperature: 31 });
    expect(published).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: "rule.error", rule: "high-temp", action: "republish" });
  });

  it("publishes to a reserved topic with the documented escape", () => {
    const { send, published } = rig([
      { ...highTemp, actions: [{ republish: { topic: "$$aws/things/${thing}/shadow/update" } }] },
    ]);
    send("b/1/telemetry", { thing: "t1", temperature: 31 });
    expect(published[0]?.topic).toBe("$aws/things/t1/shadow/update");
  });

  it("stops rules that feed themselves", () => {
    const loop: TopicRule = {
      ruleName: "loop",
      sql: "SELECT * FROM 'loop'",
      actions: [{ republish: { topic: "loop" } }],
    };
    const { send, published, events } = rig([loop], { feedBack: true });
    send("loop", { n: 1 });
    expect(published).toHaveLength(8);
    expect(events.at(-1)).toMatchObject({ type: "rule.error", rule: "loop" });
  });

  it("does not run on payloads it cannot read, except to pass them through", () => {
    const raw: TopicRule = {
      ruleName: "raw",
      sql: "SELECT * FROM 'b/#'",
      actions: [{ record: { sink: "s" } }],
    };
    const { send, engine, published } = rig([highTemp, raw]);
    send("b/1/telemetry", "not json");
    expect(published).toEqual([]);
    expect(engine.recorded[0]?.payload).toBe(Buffer.from("not json").toString("base64"));
  });

  it("keeps disabled and deleted rules quiet", () => {
    const { send, engine, published } = rig([
      { ...highTemp, ruleDisabled: true },
      { ...highTemp, ruleName: "gone" },
    ]);
    expect(engine.deleteRule("gone")).toBe(true);
    expect(engine.deleteRule("gone")).toBe(false);
    send("b/1/telemetry", { thing: "t1", temperature: 99 });
    expect(published).toEqual([]);
  });

  it.each([
    [{ ...highTemp, ruleName: "bad name" }, "RULE_NAME_INVALID"],
    [{ ...highTemp, actions: Array(11).fill(highTemp.actions[0]) }, "RULE_ACTIONS_INVALID"],
    [{ ...highTemp, sql: "SELEKT" }, "RULE_SQL_SYNTAX"],
    [{ ...highTemp, actions: [{ republish: { topic: "a/${nope(}" } }] }, "RULE_SQL_SYNTAX"],
    [highTemp, "RULE_EXISTS"],
  ])("refuses %j with %s", (rule, code) => {
    const { engine } = rig([highTemp]);
    const unique =
      code === "RULE_EXISTS" || code === "RULE_NAME_INVALID" ? rule : { ...rule, ruleName: "fresh" };
    expect(() => engine.createRule(unique)).toThrow(code);
  });
});

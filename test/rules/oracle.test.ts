import fc from "fast-check";
import { type JsonValue, Random } from "fleetrig/kernel";
import { ApplicationMessage } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { compileStatement } from "../../broker/rules/compile.js";
import { parseRuleSql } from "../../broker/rules/sql-parser.js";
import { createRuleOracle } from "../../scenarios/oracle/rule-oracle.js";

const operand = fc.constantFrom(
  "a",
  "b",
  "c.d",
  "1",
  "2.5",
  "'x'",
  "'7'",
  "'true'",
  "true",
  "null",
  "missing",
  "topic(2)",
  "[1,'x']",
);
const operator = fc.constantFrom("=", "<>", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "AND", "OR", "IN");
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    operand,
    fc.tuple(tie("node"), operator, tie("node")).map(([l, op, r]) => `(${l} ${op} ${r})`),
    tie("node").map((node) => `(NOT ${node})`),
    tie("node").map((node) => `(- ${node})`),
    fc
      .tuple(tie("node"), tie("node"), tie("node"))
      .map(([s, w, r]) => `(CASE ${s} WHEN ${w} THEN ${r} ELSE a END)`),
  ),
})).node;

const payload = fc.record({
  a: fc.oneof(fc.integer({ min: -5, max: 40 }), fc.boolean(), fc.constantFrom("x", "7", "true")),
  b: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }), fc.constant(null)),
  c: fc.record({ d: fc.integer({ min: 0, max: 3 }) }),
});

describe("the oracle and the cloud's evaluator", () => {
  it("agree on any condition and payload although they share no evaluation code", () => {
    fc.assert(
      fc.property(condition, payload, (where, value) => {
        const sql = `SELECT * FROM 'x/+' WHERE ${where}`;
        const message = new ApplicationMessage(
          { topic: "x/7", payload: new Uint8Array(), qos: 0, retain: false },
          "c",
          0,
        );
        const context = {
          message,
          payload: value as JsonValue,
          wallMs: 0,
          accountId: "",
          random: Random.seeded("o"),
        };
        return (
          compileStatement(parseRuleSql(sql)).matches(context) ===
          createRuleOracle("r", sql).shouldFire("x/7", value)
        );
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["a/+", "a/b", true],
    ["a/#", "a", false],
    ["a/#", "a/b/c", true],
    ["#", "$aws/x", false],
    ["a/b", "a/b/c", false],
  ])("covers %s of %s: %s", (filter, topic, covered) => {
    expect(createRuleOracle("r", `SELECT * FROM '${filter}'`).shouldFire(topic, {})).toBe(covered);
  });
});

import { Random, type JsonValue } from "fleetrig/kernel";
import { ApplicationMessage } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { compileExpression, compileStatement } from "../../broker/rules/compile.js";
import type { RuleContext } from "../../broker/rules/functions.js";
import { parseRuleExpression, parseRuleSql } from "../../broker/rules/sql-parser.js";

const contextFor = (payload: JsonValue, topic = "building/hq/floor/7/sensor/t1/telemetry"): RuleContext => {
  const message = new ApplicationMessage(
    { topic, payload: Buffer.from(JSON.stringify(payload)), qos: 1, retain: false },
    "client-1",
    0,
  );
  return {
    message,
    payload,
    wallMs: 1_767_225_600_000,
    accountId: "123456789012",
    random: Random.seeded("rules"),
  };
};

const evaluate = (text: string, payload: JsonValue = {}): unknown =>
  compileExpression(parseRuleExpression(text))(contextFor(payload));

const select = (sql: string, payload: JsonValue): unknown =>
  JSON.parse(JSON.stringify(compileStatement(parseRuleSql(sql)).select(contextFor(payload))));

describe("rule functions (REF §9.4 vectors)", () => {
  it.each([
    ['substring("012345",1,3)', "12"],
    ["substring(123,2)", "3"],
    ["substring(true,1.2)", "rue"],
    ['concat([1,2,3],"hello")', [1, 2, 3, "hello"]],
    ['concat(1,"hello")', "1hello"],
    ["concat()", undefined],
    ['get("abc",0)', "a"],
    ["floor(-1.2)", -2],
    ["floor()", undefined],
    ["trunc(2.888,2)", 2.88],
    ["nanvl(8,3)", 8],
    ['indexof("abcd","bc")', 1],
    ["length(false)", 5],
    ["cast(true as Int)", 1],
    ["cast('2.9' as Integer)", 2],
    ["cast(7 as String)", "7"],
    ["cast('TRUE' as Boolean)", true],
    ["round(1.5)", 2],
    ["round(-1.5)", -2],
    ["ceil(1.2)", 2],
    ["mod(7,3)", 1],
    ["power(2,10)", 1024],
    ["sqrt(-1)", undefined],
    ["upper(lower('AbC'))", "ABC"],
    ["startswith('abc','ab')", true],
    ["endswith('abc','ab')", false],
    ["replace('a.a','a','$&')", "$&.$&"],
    ["isNull(null)", true],
    ["isUndefined(missing)", true],
    ["topic(4)", "7"],
    ["topic()", "building/hq/floor/7/sensor/t1/telemetry"],
    ["topic(99)", undefined],
    ["clientid()", "client-1"],
    ["accountid()", "123456789012"],
    ["timestamp()", 1_767_225_600_000],
    ["numbytes('é')", 2],
    ["trim('  a ')", "a"],
    ["abs('-4')", 4],
    ["sign(-3)", -1],
  ])("%s is %j", (text, value) => {
    expect(evaluate(text)).toEqual(value);
  });

  it("makes UUIDs of version 4 from the run's randomness", () => {
    expect(evaluate("newuuid()")).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

describe("rule operators (REF §9.3)", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["7 / 2", 3],
    ["-7 / 2", -3],
    ["7.0 / 2.5", 2.8],
    ["1 / 0", undefined],
    ["7 % 4", 3],
    ["'5' + 1", "51"],
    ["'5' - 1", 4],
    ["'b' > 'a'", undefined],
    ["'10' > 9", true],
    ["1 = '1'", false],
    ["1 <> '1'", true],
    ["null = null", true],
    ["missing = 1", undefined],
    ["NOT 'true'", false],
    ["NOT 1", undefined],
    ["true AND missing", undefined],
    ["'TRUE' OR false", true],
    ["3 IN [1,2,3,'three']", true],
    ["3 IN 'three'", undefined],
    ["- '2'", -2],
    ["CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END", "two"],
    ["CASE 9 WHEN 1 THEN 'one' END", undefined],
    ["CASE missing WHEN 1 THEN 'one' ELSE 'x' END", undefined],
    ["[1, missing, 'a']", [1, "a"]],
  ])("%s is %j", (text, value) => {
    expect(evaluate(text)).toEqual(value);
  });
});

describe("SELECT", () => {
  it.each([
    ["SELECT * FROM 'a'", { t: 1 }, { t: 1 }],
    ["SELECT *, t + 1 AS t FROM 'a'", { t: 1 }, { t: 2 }],
    ["SELECT a.b.c FROM 'a'", { a: { b: { c: 5 } } }, { c: 5 }],
    ["SELECT a.b AS x.y, a.c AS x.z FROM 'a'", { a: { b: 1, c: 2 } }, { x: { y: 1, z: 2 } }],
    ["SELECT missing, nothing FROM 'a'", { nothing: null }, { nothing: null }],
    ["SELECT topic(4) AS floor, floor(1.5) FROM 'a'", {}, { floor: 1 }],
    ["SELECT {'k': t} AS o FROM 'a'", { t: 1 }, { o: { k: 1 } }],
  ])("%s of %j gives %j", (sql, payload, output) => {
    expect(select(sql, payload)).toEqual(output);
  });

  it("passes a payload that is not an object through unchanged", () => {
    const statement = compileStatement(parseRuleSql("SELECT * FROM 'a'"));
    expect(statement.select(contextFor([1, 2]))).toEqual([1, 2]);
  });

  it("keeps hostile keys as plain data", () => {
    const output = select("SELECT * FROM 'a'", JSON.parse('{"__proto__":{"polluted":1}}') as JsonValue);
    expect(Object.hasOwn(output as object, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("fires only when WHERE is literally true", () => {
    const matches = (where: string): boolean =>
      compileStatement(parseRuleSql(`SELECT * FROM 'a' WHERE ${where}`)).matches(contextFor({ t: 31 }));
    expect([
      matches("t > 30"),
      matches("t > 31"),
      matches("missing > 1"),
      matches("'true'"),
      matches("1"),
    ]).toEqual([true, false, false, false, false]);
  });
});

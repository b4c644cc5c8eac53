import fc from "fast-check";
import { FleetrigError } from "fleetrig/kernel";
import { parseRuleSql } from "fleetrig/broker";
import { describe, expect, it } from "vitest";

const failure = (sql: string): FleetrigError => {
  try {
    parseRuleSql(sql);
  } catch (error) {
    if (error instanceof FleetrigError) return error;
    throw error;
  }
  throw new FleetrigError("TEST_PARSED", `${sql} parsed.`);
};

describe("parseRuleSql", () => {
  it("reads the statement of the smart-building example", () => {
    const statement = parseRuleSql(
      "SELECT thing, temperature, topic(4) AS floor FROM 'building/+/floor/+/sensor/+/telemetry' WHERE temperature > 30",
    );
    expect(statement.from).toBe("building/+/floor/+/sensor/+/telemetry");
    expect(statement.items.map((item) => (item.kind === "value" ? item.path : "*"))).toEqual([
      ["thing"],
      ["temperature"],
      ["floor"],
    ]);
    expect(statement.where).toMatchObject({ kind: "binary", operator: ">" });
  });

  it.each([
    ["", 0, "SELECT is missing"],
    ["SELECT", 6, "ends where a value"],
    ["SELECT * WHERE a = 1", 9, "FROM is missing"],
    ["SELECT * FROM topic", 14, "in single quotes"],
    ["SELECT * FROM 'a/#/b'", 14, "not a valid topic filter"],
    ["SELECT * FROM 'a' WHERE", 23, "ends where a value"],
    ["SELECT * FROM 'a' WHERE a = ", 28, "ends where a value"],
    ["SELECT * FROM 'a' WHERE (a = 1", 30, '")" is missing'],
    ["SELECT * FROM 'a' WHERE a = 1 b", 30, "after the end"],
    ["SELECT 1 + 1 FROM 'a'", 13, "needs a name"],
    ["SELECT nope(1) FROM 'a'", 7, "no function nope"],
    ["SELECT a. FROM 'a'", 10, "field name is missing"],
    ["SELECT * FROM 'a", 14, "not closed"],
    ["SELECT * FROM 'a' WHERE a ; 1", 26, "Unexpected character"],
    ["SELECT * FROM 'a' WHERE a LIKE 'b'", 26, "LIKE is not supported"],
    ["SELECT (SELECT b FROM c) AS x FROM 'a'", 8, "Nested SELECT"],
    ["SELECT cast(a as Blob) AS x FROM 'a'", 17, "not a type"],
    ["SELECT {a: 1} AS x FROM 'a'", 8, "quoted string"],
  ])("refuses %j at %d", (sql, offset, message) => {
    const error = failure(sql);
    expect(error.code).toBe("RULE_SQL_SYNTAX");
    expect(error.message).toContain(message);
    expect(error.context["offset"]).toBe(offset);
    expect(error.hint).toBeDefined();
  });

  it.each([
    `${"(".repeat(5000)}1`,
    `${"NOT ".repeat(5000)}a`,
    `${"- ".repeat(5000)}a`,
    `a${" OR a".repeat(70_000)}`,
  ])("survives hostile nesting", (where) => {
    expect(failure(`SELECT * FROM 'a' WHERE ${where}`).code).toBe("RULE_SQL_SYNTAX");
  });

  it("never fails in any other way, whatever it is given", () => {
    const word = fc.constantFrom(
      "SELECT",
      "FROM",
      "WHERE",
      "'a/b'",
      "(",
      ")",
      "a.b",
      ",",
      "*",
      "1",
      "AND",
      "CASE",
      "WHEN",
      "END",
      "[",
      "{",
      "'",
      "=",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word, { maxLength: 24 }).map((words) => words.join(" ")),
        ),
        (sql) => {
          try {
            parseRuleSql(sql);
          } catch (error) {
            return error instanceof FleetrigError && error.code === "RULE_SQL_SYNTAX";
          }
          return true;
        },
      ),
      { numRuns: 2000 },
    );
  });
});

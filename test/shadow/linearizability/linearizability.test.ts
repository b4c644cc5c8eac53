import { describe, expect, it } from "vitest";
import { contest } from "./contest.js";
import { type Operation, violationsOf } from "./history.js";

const at = (beganMs: number, endedMs: number): { beganMs: number; endedMs: number } => ({ beganMs, endedMs });
const write = (span: ReturnType<typeof at>, version: number): Operation => ({
  ...span,
  kind: "update",
  version,
  key: "a",
  value: version,
});
const get = (span: ReturnType<typeof at>, version: number, value: number): Operation => ({
  ...span,
  kind: "get",
  version,
  state: { a: value },
});

describe("the checker of histories", () => {
  it.each<[string, readonly Operation[], RegExp | undefined]>([
    ["accepts a history in order", [write(at(0, 1), 1), get(at(2, 3), 1, 1), write(at(4, 5), 2)], undefined],
    ["accepts places that overlap", [write(at(0, 9), 2), write(at(0, 9), 1), get(at(0, 9), 1, 1)], undefined],
    ["sees a version given twice", [write(at(0, 1), 1), write(at(0, 1), 1)], /given to nobody or twice/],
    ["sees a lost update", [write(at(0, 1), 1), write(at(2, 3), 3)], /given to nobody or twice/],
    [
      "sees a write that was put before an answered one",
      [write(at(0, 1), 2), write(at(2, 3), 1)],
      /began after 2 was known/,
    ],
    [
      "sees a stale read",
      [write(at(0, 1), 1), write(at(2, 3), 2), get(at(4, 5), 1, 1)],
      /get at version 1 began after 2/,
    ],
    ["sees a read of another state", [write(at(0, 1), 1), get(at(2, 3), 1, 7)], /a state that it never had/],
    [
      "sees a read from the future",
      [get(at(0, 1), 1, 1), write(at(2, 3), 1)],
      /update at version 1 began after 1 was known/,
    ],
    [
      "sees a refusal without reason",
      [write(at(0, 1), 1), { ...at(2, 3), kind: "conflict", expected: 1 }],
      /refused although/,
    ],
  ])("%s", (_what, history, violation) => {
    const [first] = violationsOf(history);
    if (violation === undefined) expect(first).toBeUndefined();
    else expect(first).toMatch(violation);
  });
});

describe("shadows that 50 clients update and read over MQTT and HTTP at once", () => {
  // FLEETRIG_SHADOW_OPERATIONS=100000 for the long run.
  it("are linearizable by their versions", async () => {
    const operations = Number(process.env["FLEETRIG_SHADOW_OPERATIONS"] ?? 4_000);
    const histories = await contest({ operations, seed: 1 });
    expect(histories.flat().length).toBeGreaterThanOrEqual(operations);
    expect(histories.flat().filter(({ kind }) => kind === "conflict").length).toBeGreaterThan(10);
    for (const history of histories) expect(violationsOf(history)).toEqual([]);
  }, 600_000);
});

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lacksCompiler } from "../../rigs.js";
import { PlatformDriver } from "./platform-driver.js";

interface Operation {
  readonly name: "put" | "remove" | "erase" | "restart";
  readonly key: string;
  readonly length: number;
  readonly seed: number;
  /** Flash bytes until the power goes; -1: it stays. */
  readonly power: number;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  name: fc.oneof(
    { weight: 20, arbitrary: fc.constant("put" as const) },
    { weight: 4, arbitrary: fc.constant("remove" as const) },
    { weight: 1, arbitrary: fc.constantFrom("erase" as const, "restart" as const) },
  ),
  key: fc.constantFrom("a", "b", "config", "a-key-of-15-chr", "e", "f"),
  length: fc.oneof(fc.nat(40), fc.nat(3_000), fc.constant(8_192)),
  seed: fc.nat(1_000_000),
  power: fc.oneof(
    { weight: 2, arbitrary: fc.constant(-1) },
    { weight: 1, arbitrary: fc.nat(600) },
    { weight: 1, arbitrary: fc.nat(20_000) },
  ),
});

const KEYS = ["a", "b", "config", "a-key-of-15-chr", "e", "f"];

const command = ({ name, key, length, seed }: Operation): string =>
  name === "put" ? `put ${key} ${length} ${seed}` : name === "remove" ? `remove ${key}` : name;

const commandsOf = (operations: readonly Operation[]): string[] =>
  operations.flatMap((each) => [
    `power ${each.power}`,
    command(each),
    "power -1",
    ...KEYS.map((key) => `get ${key}`),
  ]);

/** Each operation happened or did not, as a whole; nothing else changed. */
function check(
  operations: readonly Operation[],
  answers: readonly string[],
  contents: ReadonlyMap<string, string>,
): void {
  const stored = new Map<string, string>();
  const perOperation = 3 + KEYS.length;
  operations.forEach((each, n) => {
    const outcome = answers[n * perOperation + 1];
    const found = KEYS.map((key, k) => [key, answers[n * perOperation + 3 + k]!] as const);
    const before = KEYS.map((key) => [key, stored.get(key) ?? "none"] as const);
    if (each.name === "put") stored.set(each.key, contents.get(`${each.length} ${each.seed}`)!);
    if (each.name === "remove") stored.delete(each.key);
    if (each.name === "erase") stored.clear();
    const after = KEYS.map((key) => [key, stored.get(key) ?? "none"] as const);
    if (outcome === "ok") expect(found, `after ${command(each)}`).toEqual(after);
    else expect([before, after], `${outcome} in ${command(each)}`).toContainEqual(found);
    if (outcome !== "cut") expect(outcome).toBe("ok");
    for (const [key, value] of found)
      if (value === "none") stored.delete(key);
      else stored.set(key, value);
  });
}

describe.skipIf(lacksCompiler)("storage of the firmware", () => {
  let driver: PlatformDriver;
  beforeAll(() => {
    driver = new PlatformDriver();
  });
  afterAll(() => driver.remove());

  /** What each value is read as, learnt by storing it alone. */
  function contentsOf(operations: readonly Operation[]): Map<string, string> {
    const puts = operations.filter((each) => each.name === "put");
    const answers = driver.run(puts.flatMap((each) => [`put x ${each.length} ${each.seed}`, "get x"]));
    return new Map(puts.map((each, n) => [`${each.length} ${each.seed}`, answers[2 * n + 1]!]));
  }

  it("keeps every value, old or new as a whole, whatever is written and whenever the power goes", () => {
    const runs = Number(process.env["FLEETRIG_STORAGE_RUNS"] ?? 25);
    // At most 5 values of 8 KiB are live beside small ones, which is the limit of 40 KiB.
    const sequences = fc
      .array(operation, { minLength: 60, maxLength: 120 })
      .map((operations) =>
        operations.map((each) => (each.length > 6_000 && each.key > "c" ? { ...each, length: 700 } : each)),
      );
    fc.assert(
      fc.property(sequences, (operations) => {
        check(operations, driver.run(commandsOf(operations)), contentsOf(operations));
      }),
      { numRuns: runs, seed: 20_261_121, endOnFailure: true },
    );
  });

  it("stands a power cut after every single byte of a write that moves the log on", () => {
    const write = "put a 1500 7777";
    const fillings = Array.from({ length: 40 }, (_, count) =>
      Array.from({ length: 70 + count }, (_unused, n) => `put ${"abcdef"[n % 6]} ${600 + n * 7} ${n}`),
    );
    // With a new segment, whose erasure costs 256 steps, the write takes more than 1,750.
    const filling = fillings.find((each) => driver.run([...each, "power 1750", write]).at(-1) === "cut")!;
    const cuts = Array.from({ length: 2_200 }, (_, n) => n);
    const answers = driver.run([
      ...filling,
      "get a",
      "save",
      write,
      "get a",
      ...cuts.flatMap((bytes) => ["restore", `power ${bytes}`, write, "get a", "get f"]),
    ]);
    const [before, , , after] = answers.slice(filling.length);
    const outcomes = cuts.map((_, n) =>
      answers.slice(filling.length + 4 + 5 * n + 2, filling.length + 4 + 5 * n + 5),
    );
    const others = new Set(outcomes.map(([, , other]) => other));
    expect(others.size).toBe(1);
    for (const [outcome, value] of outcomes)
      expect(outcome === "ok" ? [after] : [before, after]).toContain(value);
    expect(outcomes.filter(([outcome]) => outcome === "cut").length).toBeGreaterThan(1_500);
  });

  it("refuses keys and values beyond its limits and more than it can move", () => {
    const big = Array.from({ length: 6 }, (_, n) => `put big${n} 8192 ${n}`);
    const answers = driver.run(["put a-key-of-16-char 1 1", "put k 8192 1", ...big]);
    expect(answers[0]).toBe("refused");
    expect(answers.slice(2).filter((answer) => answer === "refused").length).toBeGreaterThan(0);
  });

  it("goes on for thousands of writes", () => {
    const answers = driver.run(Array.from({ length: 5_000 }, (_, n) => `put counter 8 ${n}`));
    expect(new Set(answers)).toEqual(new Set(["ok"]));
  });
});

describe.skipIf(lacksCompiler)("outbox of the firmware", () => {
  let driver: PlatformDriver;
  beforeAll(() => {
    driver = new PlatformDriver();
  });
  afterAll(() => driver.remove());

  it("keeps order and loses nothing that was appended and not acknowledged, whenever the power goes", () => {
    const step = fc.record({
      isAppend: fc.boolean(),
      length: fc.oneof(fc.nat(200), fc.nat(1_024)),
      power: fc.oneof(fc.constant(-1), fc.nat(400)),
      seed: fc.nat(100_000),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        let next = 1;
        const commands = steps.flatMap(({ isAppend, length, power, seed }) => {
          // Ids are only guessed: after a cut they may lag behind, then `unknown` is the answer.
          const body = isAppend ? `append ${length} ${seed}` : `ack ${next++}`;
          return [`power ${power}`, body, "power -1", "list"];
        });
        const answers = driver.run(commands);
        let pending: string[] = [];
        steps.forEach(({ isAppend, length }, n) => {
          const outcome = answers[4 * n + 1]!;
          const [count, ...listed] = answers[4 * n + 3]!.split(" ");
          expect(Number(count)).toBe(listed.length);
          const id = commands[4 * n + 1]!.split(" ")[1]!;
          const kept = isAppend ? pending : pending.filter((each) => !each.startsWith(`${id}:`));
          if (isAppend && outcome.startsWith("id ")) {
            expect(listed.slice(0, -1)).toEqual(pending);
            expect(listed.at(-1)).toMatch(new RegExp(`^${outcome.slice(3)}:${length}:`));
          } else if (outcome === "cut") {
            const isAsBefore = listed.join() === pending.join();
            const isAsAfter = isAppend
              ? listed.slice(0, -1).join() === pending.join()
              : listed.join() === kept.join();
            expect(isAsBefore || isAsAfter).toBe(true);
          } else expect(listed).toEqual(outcome === "ok" ? kept : pending);
          pending = listed;
        });
      }),
      { numRuns: 25, seed: 20_261_121, endOnFailure: true },
    );
  });

  it("takes no more when it is full, and goes on when the oldest are acknowledged", () => {
    const filling = Array.from({ length: 130 }, (_, n) => `append 1000 ${n}`);
    const answers = driver.run([
      ...filling,
      "list",
      ...[1, 2, 3, 4].map((id) => `ack ${id}`),
      "append 1000 9",
      "clear",
      "list",
    ]);
    const taken = answers.filter((answer) => answer.startsWith("id ")).length - 1;
    expect(answers[filling.length]).toMatch(new RegExp(`^${taken} 1:1000:`));
    expect(taken).toBeGreaterThan(90);
    expect(answers.slice(filling.length + 1, filling.length + 5)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(answers.at(-3)).toMatch(/^id /);
    expect(answers.at(-1)).toBe("0");
  });
});

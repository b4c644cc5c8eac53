import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findings, loadFrom, loadValid, SMALL } from "./memory-files.js";

const MIB = 1_048_576;

/** The cheaper of two loads: the first may pay for compiling the code. */
function load(text: string) {
  let cpuMs = Number.POSITIVE_INFINITY;
  let code: string | undefined;
  for (let round = 0; round < 2; round += 1) {
    const before = process.cpuUsage();
    const result = loadFrom({ "bomb.yaml": text });
    const { user, system } = process.cpuUsage(before);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
    code = findings(result)[0]?.split(" ")[0];
  }
  return { code, cpuMs };
}

/** Fills a file up to the limit of its size. */
const full = (line: string): string => line.repeat(Math.floor((MIB - 10) / line.length));

/** Warm it takes 100 ms; this only tells slow from hanging, on busy machines and under coverage too. */
const CPU_LIMIT_MS = 5000;

/** Each is refused with this code. */
const BOMBS: readonly (readonly [name: string, code: string, text: () => string])[] = [
  ["more than 1 MiB", "SCENARIO_TOO_LARGE", () => "#".repeat(MIB + 1)],
  ["20 MiB", "SCENARIO_TOO_LARGE", () => "a: 1\n".repeat(4 * MIB)],
  ["a bracket 500,000 times", "SCENARIO_TOO_MANY_VALUES", () => `a: ${"[".repeat(500_000)}`],
  ["a brace 250,000 times", "SCENARIO_TOO_MANY_VALUES", () => "{a: ".repeat(250_000)],
  ["a bracket 5,000 times", "SCENARIO_TOO_DEEP", () => `a: ${"[".repeat(5000)}`],
  ["dashes on one line", "SCENARIO_TOO_DEEP", () => full("- ")],
  ["question marks on one line", "SCENARIO_TOO_DEEP", () => full("? ")],
  [
    "a staircase of keys",
    "SCENARIO_TOO_DEEP",
    () => Array.from({ length: 1400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  ],
  ["a million values in a list", "SCENARIO_TOO_MANY_VALUES", () => `a: [${full("1,")}1]`.slice(0, MIB - 1)],
  ["a long block list", "SCENARIO_TOO_MANY_VALUES", () => full("- 1\n")],
  ["one key 5,000 times", "SCENARIO_DUPLICATE_KEY", () => "a: 1\n".repeat(5000)],
  [
    "5,000 different keys",
    "SCENARIO_MISSING_KEY",
    () => Array.from({ length: 5000 }, (_, i) => `k${i}: 1\n`).join(""),
  ],
  [
    "aliases of aliases",
    "SCENARIO_TOO_MANY_VALUES",
    () =>
      Array.from(
        { length: 9 },
        (_, i) => `a${i}: &a${i} [${i === 0 ? "1,1,1,1,1" : `*a${i - 1},`.repeat(5)}]\n`,
      ).join(""),
  ],
  ["merge keys", "SCENARIO_MERGE_KEY", () => `a: &a { k: 1 }\nb: {${"<<: *a, ".repeat(40)}}\n`],
  [
    "a scalar of a megabyte",
    "SCENARIO_OUT_OF_RANGE",
    () =>
      SMALL.replace("small", "small\ndescription: ").replace(
        "description: ",
        `description: "${"x".repeat(900_000)}"`,
      ),
  ],
  ["a key of a megabyte", "SCENARIO_SYNTAX", () => `${SMALL}"${"x".repeat(900_000)}": 1\n`],
  ["a duration of a megabyte", "SCENARIO_UNIT", () => SMALL.replace("1m", "1m".repeat(400_000))],
  [
    "an expectation of a megabyte",
    "SCENARIO_OUT_OF_RANGE",
    () => `${SMALL}expect: ["${"delivery.".repeat(90_000)}"]\n`,
  ],
  ["a megabyte of comments", "SCENARIO_TOO_MANY_VALUES", () => full("#\n")],
  ["comments only", "SCENARIO_EMPTY", () => "# nothing\n".repeat(5000)],
  ["a megabyte of blank lines", "SCENARIO_TOO_MANY_VALUES", () => full("\n")],
];

describe("a hostile scenario", () => {
  it.each(BOMBS)("%s is refused with %s, quickly", (_name, code, text) => {
    const bomb = text();
    const found = load(bomb);
    expect(found.code).toBe(code);
    expect(found.cpuMs).toBeLessThan(CPU_LIMIT_MS);
  });

  it("cannot pollute prototypes by any spelling of a key", () => {
    for (const key of [
      "__proto__",
      '"__proto__"',
      "'__proto__'",
      '"\\x5f_proto__"',
      "? __proto__\n ",
      "constructor",
      "prototype",
    ])
      expect(load(`vars:\n  ${key}: { polluted: 1 }\n`).code).toBe("SCENARIO_RESERVED_KEY");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("may name things like members of Object, which stay plain data", () => {
    const { scenario } = loadValid(SMALL.replace("floor: 7", "toString: 1, hasOwnProperty: 2, valueOf: x"));
    expect(Object.keys(scenario.fleet[0]?.attributes ?? {})).toEqual([
      "toString",
      "hasOwnProperty",
      "valueOf",
    ]);
  });

  it("cannot select or name a group by a member of Object", () => {
    const text = SMALL.replace(
      "duration: 1m",
      "duration: 1m, actions: [{ at: 0s, connect: { select: { where: { toString: x } } } }]",
    );
    expect(findings(loadFrom({ "a.yaml": text }))[0]).toMatch(/^SCENARIO_DANGLING_REFERENCE/);
    expect(
      findings(loadFrom({ "a.yaml": SMALL.replace("builtin:shadow-device", "builtin:toString") }))[0],
    ).toMatch(/^SCENARIO_DANGLING_REFERENCE/);
  });

  it("gives diagnostics and never throws, whatever the bytes", () => {
    const pieces = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&x",
      "*x",
      "<<",
      "!t",
      "|",
      ">",
      "%",
      "---",
      "...",
      '"',
      "'",
      "#",
      "\t",
      "\r\n",
      "? ",
      ",",
      "${vars.a}",
      "version: 1",
      "fleet:",
      "\u0000",
      "é",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        const result = loadFrom({ "a.yaml": parts.join("") });
        expect(result.ok).toBe(false);
        for (const { line, column } of result.ok ? [] : result.diagnostics) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("reports at most 50 findings", () => {
    const text = `${SMALL}${Array.from({ length: 500 }, (_, i) => `x${i}: 1\n`).join("")}`;
    expect(findings(loadFrom({ "a.yaml": text }))).toHaveLength(50);
  });
});

describe("plain YAML", () => {
  it.each([
    ["a byte order mark", `\uFEFF${SMALL}`],
    ["Windows line ends", SMALL.replaceAll("\n", "\r\n")],
    ["a document start and end", `---\n${SMALL}...\n`],
    ["comments and blank lines", `# first\n\n${SMALL}\n# last`],
    ["anchors and aliases", SMALL.replace("small", "&n small").replace("floor: 7", "floor: *n")],
    [
      "JSON",
      JSON.stringify({
        version: 1,
        name: "json",
        fleet: [{ group: "a", model: "builtin:shadow-device", count: 1 }],
        stages: [{ name: "s", duration: "1m" }],
      }),
    ],
  ])("may have %s", (_name, text) => {
    expect(findings(loadFrom({ "a.yaml": text }))).toEqual([]);
  });

  it("counts lines and columns alike with Windows line ends and a byte order mark", () => {
    const broken = `${SMALL}seeed: 1\n`;
    expect(findings(loadFrom({ "a.yaml": `\uFEFF${broken.replaceAll("\n", "\r\n")}` }))).toEqual(
      findings(loadFrom({ "a.yaml": broken })),
    );
  });

  it("keeps words that other versions of YAML read as booleans", () => {
    const { scenario } = loadValid(SMALL.replace("floor: 7", "a: no, b: on, c: 1:30, d: 2026-01-01, e: 010"));
    expect(scenario.fleet[0]?.attributes).toMatchObject({
      a: { value: "no" },
      b: { value: "on" },
      c: { value: "1:30" },
      d: { value: "2026-01-01" },
    });
  });

  it("points out numbers that YAML rewrites where text may be meant", () => {
    const numbers = "firmware: 1.10, plain: 1.5, octal: 0o17, list: 3";
    const text = SMALL.replace("floor: 7", numbers);
    const columnOf = (written: string) => 1 + (text.split("\n")[3] ?? "").indexOf(written);
    expect(findings(loadFrom({ "a.yaml": text }))).toEqual([
      `SCENARIO_NUMBER_REWRITTEN 4:${columnOf("1.10")}`,
      `SCENARIO_NUMBER_REWRITTEN 4:${columnOf("0o17")}`,
    ]);
  });
});

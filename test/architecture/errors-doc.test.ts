import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { describe, expect, it } from "vitest";
import { sourceFiles } from "./import-rules.js";

const ROW = /^\| `([A-Z]+(?:_[A-Z0-9]+)+)` \| (.+?) \| (.+?) \|$/;
const rows = readFileSync("ERRORS.md", "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, code = "", when = "", action = ""] = ROW.exec(line) ?? [];
    return code === "" ? [] : [{ code, when, action }];
  });
const documented = rows.map(({ code }) => code);

const sources = ["broker", "sim", "hil", "reports", "scenarios"]
  .flatMap((folder) => sourceFiles(folder))
  .map((path) => ({ path: relative(process.cwd(), path), text: readFileSync(path, "utf8") }));

/** Codes that stand directly in a FleetrigError, whatever their area. */
const thrown = sources.flatMap(({ text }) =>
  [...text.matchAll(/(?:new FleetrigError|super)\(\s*"([A-Z0-9_]+)"/g)].map(([, code = ""]) => code),
);

/** AWS's own words in capitals, which may begin like one of our areas. */
const awsWords = new Set(
  ["iot", "iot-data", "iot-jobs-data"].flatMap((name) => {
    const { shapes } = JSON.parse(readFileSync(`broker/api/model/${name}.json`, "utf8")) as {
      shapes: Record<string, { enum?: string[] }>;
    };
    return Object.values(shapes).flatMap((shape) => shape.enum ?? []);
  }),
);

/** Codes reach errors through tables and functions too, so any text that begins with the area of a code counts. */
const areas = new Set([...documented, ...thrown].map((code) => code.slice(0, code.indexOf("_"))));
/** Checks of Device Defender and reasons of their findings, which no model lists. */
const AUDIT_WORD = /_CHECK$|^POLICY_CONTAINS_MQTT_WILDCARDS/;
/** Parameters of Device Advisor's cases, whose names are AWS's. */
const CASE_PARAMETERS = new Set(["SHADOW_NAME"]);
const used = new Map(
  sources.flatMap(({ path, text }) =>
    [...text.matchAll(/["'`]([A-Z]+)(_[A-Z0-9]+(?:_[A-Z0-9]+)*)["'`]/g)]
      .filter(([, area = "", rest = ""]) => areas.has(area) && !awsWords.has(`${area}${rest}`))
      .filter(([, area = "", rest = ""]) => !AUDIT_WORD.test(`${area}${rest}`))
      .filter(([, area = "", rest = ""]) => !CASE_PARAMETERS.has(`${area}${rest}`))
      .map(([, area, rest]) => [`${area}${rest}`, path] as const),
  ),
);

describe("ERRORS.md", () => {
  it("explains every code that the sources use", () => {
    expect([...used].filter(([code]) => !documented.includes(code))).toEqual([]);
  });

  it("explains nothing that the sources do not use", () => {
    expect(documented.filter((code) => !used.has(code))).toEqual([]);
  });

  it("has each code once, in sentences that say when and what to do", () => {
    expect(documented.filter((code, index) => documented.indexOf(code) !== index)).toEqual([]);
    expect(rows.filter(({ when, action }) => !when.endsWith(".") || !action.endsWith("."))).toEqual([]);
    expect(documented.length).toBeGreaterThan(100);
  });

  it("covers every error that is thrown by its code", () => {
    expect(thrown.filter((code) => !documented.includes(code))).toEqual([]);
  });
});

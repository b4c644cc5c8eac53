import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import type { SourcePath } from "../source-tree.js";
import type { Checker } from "./checker.js";

/**
 * YAML reads `1.10` as the number 1.1 and `0x1F` as 31. Where the value is the author's own, such as a firmware
 * version among the attributes, that is rarely meant.
 */
export function checkRewrittenNumbers(checker: Checker): void {
  const { vars, fleet, stages } = checker.document;
  visit(checker, vars, ["vars"]);
  fleet.forEach((group, index) => {
    visit(checker, group.attributes, ["fleet", index, "attributes"]);
    visit(checker, group.settings, ["fleet", index, "settings"]);
  });
  stages.forEach((stage, index) => {
    (stage.actions ?? []).forEach((action, at) => {
      const path = ["stages", index, "actions", at];
      visit(checker, action.createJob?.document, [...path, "createJob", "document"]);
      for (const [verb, written] of Object.entries(action))
        if (isJsonObject(written) && isJsonObject(written["select"]))
          visit(checker, written["select"]["where"], [...path, verb, "select", "where"]);
    });
  });
}

const REWRITTEN = /^[-+]?(?:\d+\.\d*0|0\d+|0[ox][0-9a-fA-F]+)$/;

function visit(checker: Checker, value: JsonValue | undefined, path: SourcePath): void {
  if (Array.isArray(value)) value.forEach((item: JsonValue, index) => visit(checker, item, [...path, index]));
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) visit(checker, item, [...path, key]);
  if (typeof value !== "number") return;
  const { file, start, end } = checker.sourceMap.rangeOf(path);
  const written = file.text.slice(start, Math.min(end, start + 64));
  if (!REWRITTEN.test(written)) return;
  checker.atValue(path, {
    code: "SCENARIO_NUMBER_REWRITTEN",
    severity: "warning",
    message: `YAML reads ${written} as the number ${value}.`,
    hint: `Write "${written}" when it is text, or ${value} when it is a number.`,
  });
}

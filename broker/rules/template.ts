import { compileExpression, type Evaluate } from "./compile.js";
import type { RuleContext } from "./functions.js";
import { parseRuleExpression } from "./sql-parser.js";
import { toText } from "./values.js";

/**
 * Substitution template `alerts/${topic(2)}/${thing}`: expressions see the original message, not the SELECT
 * output (REF §9.5). A value that is Undefined leaves its place empty.
 */
export type RenderTemplate = (context: RuleContext) => string;

/** @throws FleetrigError `RULE_SQL_SYNTAX` when an expression inside does not parse. */
export function compileTemplate(text: string): RenderTemplate {
  const parts: (string | Evaluate)[] = [];
  let position = 0;
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", position)) {
    const end = text.indexOf("}", start);
    if (end === -1) break;
    parts.push(
      text.slice(position, start),
      compileExpression(parseRuleExpression(text.slice(start + 2, end))),
    );
    position = end + 1;
  }
  parts.push(text.slice(position));
  if (parts.length === 1) return () => text;
  return (context) =>
    parts.map((part) => (typeof part === "string" ? part : (toText(part(context)) ?? ""))).join("");
}

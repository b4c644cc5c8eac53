import { plainText } from "./plain-text.js";

/** Markdown by construction: data becomes inert text of one line, code blocks cannot be left from inside. */

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;" };

/**
 * Characters that make emphasis, code, links, tables, headings, formulas or mentions lose their meaning. Only for
 * the inside of a line: what starts a block is not escaped.
 */
export const markdownText = (text: string): string =>
  plainText(text)
    .replace(/[\\`*_[\]|~#$!]/g, "\\$&")
    .replace(/[&<>@]/g, (character) => ENTITIES[character]!)
    .replace(/:(?=\/\/)/g, "&#58;")
    .replace(/\bwww\./gi, (match) => `${match.slice(0, 3)}&#46;`);

export const markdownCode = (text: string): string => `<code>${markdownText(text)}</code>`;

/** The fence is longer than any run of backticks inside. */
export function markdownBlock(text: string): string {
  const runs = plainText(text).match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}sh\n${plainText(text)}\n${fence}`;
}

/** A table from cells that are markdown already. `right` names columns of numbers by index. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, column) => (right.includes(column) ? "---:" : "---"));
  return [line(header), line(rule), ...rows.map(line)];
}

/** One thing wrong with a scenario, with the place to look at. */
export interface Diagnostic {
  /** Stable, for programs: `SCENARIO_UNKNOWN_KEY`. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** Characters to underline; at least 1. */
  readonly length: number;
  /** One sentence. */
  readonly message: string;
  readonly hint?: string;
  /** Path in the document: `stages.0.actions.1.inject`. */
  readonly path?: string;
}

/** `file:line:column`, for people and for editors that make it a link. */
export const formatPosition = (at: {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}): string => `${at.file}:${at.line}:${at.column}`;

/** Also of other documents than scenarios, which have severities of their own. */
export interface ShownDiagnostic extends Omit<Diagnostic, "severity"> {
  readonly severity: string;
}

const MAX_FRAME_CHARS = 110;

/**
 * A diagnostic with the line it speaks of and a caret under the place.
 * @param sourceText the text of `diagnostic.file`; without it there is no code frame.
 */
export function formatDiagnostic(diagnostic: ShownDiagnostic, sourceText?: string): string {
  const head = `${formatPosition(diagnostic)} ${diagnostic.severity}: ${diagnostic.message} (${diagnostic.code})`;
  const frame = sourceText === undefined ? [] : codeFrame(diagnostic, sourceText);
  const hint = diagnostic.hint === undefined ? [] : [`  hint: ${diagnostic.hint}`];
  return [head, ...frame, ...hint].join("\n");
}

function codeFrame(diagnostic: ShownDiagnostic, sourceText: string): string[] {
  const lines = sourceText.split("\n", diagnostic.line);
  const target = lines[diagnostic.line - 1];
  if (target === undefined) return [];
  const gutter = String(diagnostic.line).length;
  const frame: string[] = [];
  for (let number = Math.max(1, diagnostic.line - 1); number <= diagnostic.line; number += 1)
    frame.push(frameLine(number, lines[number - 1] ?? "", gutter));
  if (diagnostic.column > MAX_FRAME_CHARS) return frame;
  const visible = printable(target).length;
  const underline = Math.max(1, Math.min(diagnostic.length, visible - diagnostic.column + 1));
  frame.push(`  ${" ".repeat(gutter)} | ${" ".repeat(diagnostic.column - 1)}${"^".repeat(underline)}`);
  return frame;
}

const frameLine = (number: number, line: string, gutter: number): string =>
  `  ${String(number).padStart(gutter)} | ${printable(line)}`.trimEnd();

// Control characters of a hostile file must not reach a terminal; a tab is one column, as in the caret's count.
const printable = (line: string): string =>
  line
    .slice(0, MAX_FRAME_CHARS)
    .replace(/\r$/, "")
    .replace(/\t/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "\u00b7");

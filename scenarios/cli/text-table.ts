import { type Output, writeLine } from "./host.js";

/** Writes rows below their titles, in columns as wide as their widest cell; nothing when there are no rows. */
export function writeTable(
  output: Output,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) return;
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const line of [titles, ...rows])
    writeLine(
      output,
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

import { formatMs } from "./outcome.js";
import { grouped } from "../metrics/format-quantity.js";
import { type ConsoleOptions, paintMark, penOf } from "./console.js";
import { fitText, padEnd, padStart } from "./text-columns.js";

/** Where a run stands: the input of a progress line. */
export interface Progress {
  /** `smart-building seed 42`. */
  readonly title: string;
  readonly stage: string;
  readonly atMs: number;
  /** Planned end of the run; null when a stage waits for a condition. */
  readonly endMs: number | null;
  readonly online: number;
  readonly devices: number;
}

const BAR_COLUMNS = 20;

/** One line to be rewritten in place while a run goes on. No line break. */
export function progressLine(progress: Progress, options: ConsoleOptions): string {
  const pen = penOf(options);
  const { title, stage, atMs, endMs, online, devices } = progress;
  const share = endMs === null || endMs <= 0 ? null : Math.min(1, Math.max(0, atMs / endMs));
  const time = endMs === null ? formatMs(atMs) : `${formatMs(atMs)} of ${formatMs(endMs)}`;
  const told = `${title} · ${stage} · ${time} · ${grouped(online)}/${grouped(devices)} online`;
  return `${pen.paint.cyan(bar(share))} ${fitText(told, pen.width - BAR_COLUMNS - 1)}`;
}

function bar(share: number | null): string {
  if (share === null) return "┄".repeat(BAR_COLUMNS);
  const filled = Math.round(share * BAR_COLUMNS);
  return "━".repeat(filled) + "┄".repeat(BAR_COLUMNS - filled);
}

/** A stage that has ended. */
export interface EndedStage {
  readonly name: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
  /** What happened in it: `150,000 messages received`. */
  readonly detail: string;
}

/** One line per stage, printed when it ends. No line break. */
export function stageLine(
  { name, durationMs, timedOut, detail }: EndedStage,
  options: ConsoleOptions,
): string {
  const pen = penOf(options);
  const mark = paintMark(timedOut ? "warning" : "passed", pen);
  const told = timedOut ? `timed out. ${detail}` : detail;
  const head = `${padEnd(fitText(name, 20), 20)} ${padStart(formatMs(durationMs), 9)}`;
  return `  ${mark} ${head}  ${pen.paint.dim(fitText(told, pen.width - 36))}`.trimEnd();
}

/** One line to be rewritten in place while a sweep goes on. No line break. */
export function sweepProgressLine(
  { title, done, total, failed }: { title: string; done: number; total: number; failed: number },
  options: ConsoleOptions,
): string {
  const pen = penOf(options);
  const tail = failed === 0 ? "" : ` · ${grouped(failed)} failed`;
  const told = `${title} · ${grouped(done)} of ${grouped(total)} seeds${tail}`;
  return `${pen.paint.cyan(bar(total === 0 ? null : done / total))} ${fitText(told, pen.width - BAR_COLUMNS - 1)}`;
}

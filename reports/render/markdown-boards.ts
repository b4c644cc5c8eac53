import type { BoardRecord } from "../record/board-records.js";
import type { RunRecord } from "../record/run-record.js";
import { boardTroubles, panicText, skippedTexts } from "./board-text.js";
import { markdownCode, markdownTable, markdownText } from "./markdown-text.js";
import { formatValue, NOTHING } from "./record-values.js";

/** Boards in a job summary: a table, and every panic with its backtrace. */

export const boardNotes = (run: RunRecord): readonly string[] => [
  ...boardTroubles(run).map((trouble) => `- ✗ ${markdownText(trouble)}`),
  ...skippedTexts(run).map((skipped) => `- ⊘ ${markdownText(skipped)}`),
];

const withUnexpected = ({
  total,
  unexpected,
}: {
  readonly total: number;
  readonly unexpected: number;
}): string => (unexpected === 0 ? String(total) : `${total} (**${unexpected} unexpected**)`);

export function boardTables({ boards = [] }: RunRecord): readonly string[] {
  if (boards.length === 0) return [];
  return [
    ...markdownTable(
      ["Board", "Chip", "MAC", "Port", "Firmware", "Starts", "Panics", "Clock"],
      boards.map((board) => [
        markdownText(board.thing),
        markdownText(board.chip),
        markdownCode(board.mac),
        markdownText(board.ports.join(", then ")),
        markdownText(board.versions.join(", then ")),
        withUnexpected(board.boots),
        withUnexpected(board.panics),
        board.clock === null ? NOTHING : `±${formatValue(board.clock.worstMs, "ms")}`,
      ]),
      [5, 6, 7],
    ),
    "",
    ...boards.flatMap(backtraces),
  ];
}

const backtraces = (board: BoardRecord): readonly string[] =>
  board.panics.kept.flatMap((panic) =>
    panic.backtrace.length === 0
      ? []
      : [
          `${markdownText(board.thing)}: ${markdownText(panicText(panic))}`,
          "",
          ...panic.backtrace.map((frame) => `1. ${markdownCode(frame)}`),
          "",
        ],
  );

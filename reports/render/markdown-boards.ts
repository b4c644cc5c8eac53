import type { BoardRecord } from "../record/board-records.js";
import type { RunRecord } from "../record/run-record.js";
import { boardTroubles, panicText, skippedTexts } from "./board-text.js";
import { markdownCode, markdownTable, markdownText } from "./markdown-text.js";
import { formatFigure, formatValue, NOTHING } from "./record-values.js";

/** Boards in a job summary: tables, and every panic with its backtrace. */

/** Longer lists are for report.json. */
const MAX_ROWS = 100;

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
    ...markerTable(boards),
    ...reactionTable(boards),
    ...boards.flatMap(backtraces),
  ];
}

function markerTable(boards: readonly BoardRecord[]): readonly string[] {
  const rows = boards.flatMap(({ thing, markers = [] }) =>
    markers.map(({ name, count, took, value }) => [
      markdownCode(name),
      markdownText(thing),
      String(count),
      formatFigure(took, "p50"),
      formatFigure(took, "p95"),
      formatValue(value?.last ?? null, ""),
    ]),
  );
  return rows.length === 0
    ? []
    : [
        ...markdownTable(
          ["Marker", "Board", "Count", "p50", "p95", "Last value"],
          rows.slice(0, MAX_ROWS),
          [2, 3, 4, 5],
        ),
        "",
      ];
}

function reactionTable(boards: readonly BoardRecord[]): readonly string[] {
  const rows = boards.flatMap(({ thing, clock, reactions = [] }) =>
    reactions.map(({ action, name, took }) => [
      markdownText(action),
      markdownCode(name),
      markdownText(thing),
      String(took.count),
      formatFigure(took, "p50"),
      formatFigure(took, "max"),
      clock === null ? NOTHING : `±${formatValue(clock.worstMs, "ms")}`,
    ]),
  );
  return rows.length === 0
    ? []
    : [
        ...markdownTable(
          ["Action", "Marker", "Board", "Count", "p50", "Max", "±"],
          rows.slice(0, MAX_ROWS),
          [3, 4, 5, 6],
        ),
        "",
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

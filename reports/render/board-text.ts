import type { BoardRecord, SkippedActionRecord } from "../record/board-records.js";
import type { RunRecord } from "../record/run-record.js";
import { formatMs } from "./outcome.js";
import { counted, plainText } from "./plain-text.js";
import { formatValue } from "./record-values.js";

/** What every renderer says about real boards, and about actions that only make sense for them, in the same words. */

const total = (boards: readonly BoardRecord[], read: (board: BoardRecord) => number): number =>
  boards.reduce((sum, board) => sum + read(board), 0);

/** One line for a terminal; undefined for runs without boards. */
export function boardsText({ boards = [] }: RunRecord): string | undefined {
  if (boards.length === 0) return undefined;
  const starts = total(boards, ({ boots }) => boots.total);
  const unexpected = total(boards, ({ boots }) => boots.unexpected);
  const panics = total(boards, (board) => board.panics.total);
  const recovered = total(boards, (board) => board.recovered.total);
  const markers = total(boards, (board) => (board.markers ?? []).reduce((sum, { count }) => sum + count, 0));
  const clocks = boards.flatMap(({ clock }) => clock?.worstMs ?? []);
  const parts = [
    counted(boards.length, "board"),
    counted(starts, "start") + (unexpected === 0 ? "" : ` (${unexpected} unexpected)`),
    counted(panics, "panic"),
    ...(recovered === 0 ? [] : [`recovered ${counted(recovered, "time")}`]),
    ...(markers === 0 ? [] : [counted(markers, "marker")]),
    ...(clocks.length === 0 ? [] : [`clocks within ±${formatValue(Math.max(...clocks), "ms")}`]),
  ];
  return `boards: ${parts.join(", ")}`;
}

/** `esp32c3 7cdfa1001122 at /dev/ttyUSB0, firmware 1.0.0`. */
export const boardFacts = ({ chip, mac, ports, versions }: BoardRecord): string => {
  const at = ports.length === 0 ? "" : ` at ${ports.join(", then ")}`;
  const firmware = versions.length === 0 ? "" : `, firmware ${versions.join(", then ")}`;
  return plainText(`${chip} ${mac}${at}${firmware}`.trim());
};

type PanicRecord = BoardRecord["panics"]["kept"][number];

/** `load-access-fault at 12 s: Guru Meditation Error ...`. */
export const panicText = ({ kind, atMs, cause, backtrace }: PanicRecord): string => {
  const [innermost] = backtrace;
  const where = innermost === undefined ? "" : `, in ${innermost}`;
  // What stands behind it is still the same sentence.
  return plainText(`${kind} at ${formatMs(atMs)}: ${cause.replace(/\.$/, "")}${where}`);
};

/** What nobody asked for, one sentence each: it needs no expectation to be seen. */
export const boardTroubles = ({ boards = [] }: RunRecord): readonly string[] =>
  boards.flatMap((board) => {
    const thing = plainText(board.thing);
    const panics = board.panics.kept.filter(({ expected }) => !expected);
    const unkept = board.panics.unexpected - panics.length;
    return [
      ...panics.map((panic) => `${thing} panicked: ${panicText(panic)}`),
      ...(unkept > 0 ? [`${thing} panicked ${unkept} more times`] : []),
      ...(board.boots.unexpected === 0
        ? []
        : [`${thing} started without being asked to: ${counted(board.boots.unexpected, "time")}`]),
      ...(board.givenUp === null ? [] : [plainText(`${thing} was given up: ${board.givenUp.reason}`)]),
      ...board.logWaits.flatMap(({ action, pattern, failure }) =>
        failure === null ? [] : [plainText(`${thing} did not say /${pattern}/ for ${action}: ${failure}`)],
      ),
    ];
  });

/** `action cut was skipped for 12 things: virtual devices have no power to cut`. */
const skippedText = ({ action, count, reason }: SkippedActionRecord): string =>
  plainText(`action ${action} was skipped for ${counted(count, "thing")}: ${reason}`);

export const skippedTexts = ({ skippedActions = [] }: RunRecord): readonly string[] =>
  skippedActions.map(skippedText);

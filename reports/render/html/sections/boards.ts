import type { BoardRecord, MarkerRecord, ReactionRecord } from "../../../record/board-records.js";
import type { RunRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { formatMs } from "../../outcome.js";
import { formatFigure, formatValue, NOTHING } from "../../record-values.js";
import { formatClock } from "../chart/scale.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { table } from "../table.js";
import type { Section } from "./section.js";

/** Real boards: what they are, what they went through, how well their clocks and links are known. */
export function boardsSection({ boards = [] }: RunRecord): Section {
  return {
    id: "boards",
    title: "Boards",
    lead: "Times between a board and the host are known to ± the uncertainty of the board’s clock.",
    content:
      boards.length === 0
        ? []
        : [
            overview(boards),
            panics(boards),
            markers(boards),
            reactions(boards),
            starts(boards),
            sleeps(boards),
            losses(boards),
            links(boards),
            firmware(boards),
            waits(boards),
          ],
  };
}

const list = (texts: readonly string[]): Content =>
  texts.length === 0 ? NOTHING : texts.map((text, index) => html`${index > 0 && ", then "}${named(text)}`);

/** `3, 1 unexpected`. */
const withUnexpected = ({ total, unexpected }: { total: number; unexpected: number }): Content =>
  unexpected === 0
    ? grouped(total)
    : html`${grouped(total)}, <strong>${grouped(unexpected)} unexpected</strong>`;

const overview = (boards: readonly BoardRecord[]): Markup =>
  table({
    caption: "Boards of the run",
    rows: boards,
    columns: [
      { title: "Board", cell: ({ thing }) => named(thing) },
      { title: "Chip", cell: ({ chip }) => named(chip) },
      { title: "MAC", cell: ({ mac }) => html`<code>${mac}</code>` },
      { title: "Port", cell: ({ ports }) => list(ports) },
      { title: "Firmware", cell: ({ versions }) => list(versions) },
      { title: "Starts", cell: ({ boots }) => withUnexpected(boots), isNumber: true },
      { title: "Panics", cell: ({ panics }) => withUnexpected(panics), isNumber: true },
      {
        title: "Clock",
        cell: ({ clock }) => (clock === null ? NOTHING : `±${formatValue(clock.worstMs, "ms")}`),
        isNumber: true,
      },
    ],
  });

/** Longer lists are for report.json. */
const MAX_ROWS = 200;

const titled = (title: string, rows: readonly unknown[]): { caption: string } => ({
  caption: rows.length > MAX_ROWS ? `${title}: the first ${MAX_ROWS} of ${grouped(rows.length)}` : title,
});

/** Entries of all boards in the order of time. */
const together = <T extends { readonly atMs: number }>(
  boards: readonly BoardRecord[],
  read: (board: BoardRecord) => readonly T[],
): (T & { readonly thing: string })[] =>
  boards
    .flatMap((board) => read(board).map((entry) => ({ ...entry, thing: board.thing })))
    .sort((a, b) => a.atMs - b.atMs);

const AT = { title: "At", cell: ({ atMs }: { readonly atMs: number }) => formatClock(atMs), isNumber: true };
const BOARD = { title: "Board", cell: ({ thing }: { readonly thing: string }) => named(thing) };

function panics(boards: readonly BoardRecord[]): Content {
  const rows = together(boards, (board) => board.panics.kept);
  return (
    rows.length > 0 &&
    table({
      ...titled("Panics", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        AT,
        BOARD,
        { title: "Kind", cell: ({ kind }) => html`<code>${kind}</code>` },
        { title: "Cause", cell: ({ cause, backtrace }) => html`${named(cause)}${frames(backtrace)}` },
        { title: "Asked for", cell: ({ expected }) => (expected ? "yes" : html`<strong>no</strong>`) },
        { title: "Noticed after", cell: ({ noticedMs }) => formatValue(noticedMs, "ms"), isNumber: true },
      ],
    })
  );
}

/** Rows of what every board has a list of. */
const ofEach = <T extends object>(
  boards: readonly BoardRecord[],
  read: (board: BoardRecord) => readonly T[] | undefined,
): (T & { readonly thing: string; readonly clock: BoardRecord["clock"] })[] =>
  boards.flatMap((board) =>
    (read(board) ?? []).map((entry) => ({ ...entry, thing: board.thing, clock: board.clock })),
  );

function markers(boards: readonly BoardRecord[]): Content {
  const rows = ofEach(boards, (board) => board.markers);
  return (
    rows.length > 0 &&
    table({
      ...titled("Markers of the firmware", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        { title: "Marker", cell: ({ name }) => html`<code>${name}</code>` },
        BOARD,
        { title: "Count", cell: ({ count }) => grouped(count), isNumber: true },
        ...DISTRIBUTION.map(([title, name]) => ({
          title,
          cell: ({ took }: MarkerRecord) => formatFigure(took, name),
          isNumber: true,
        })),
        ...VALUES.map(([title, name]) => ({
          title,
          cell: ({ value }: MarkerRecord) => formatValue(value?.[name] ?? null, ""),
          isNumber: true,
        })),
      ],
    })
  );
}

const DISTRIBUTION = [
  ["Min", "min"],
  ["p50", "p50"],
  ["p95", "p95"],
  ["Max", "max"],
] as const;

const VALUES = [
  ["Least value", "min"],
  ["Mean value", "mean"],
  ["Greatest value", "max"],
  ["Last value", "last"],
] as const;

function reactions(boards: readonly BoardRecord[]): Content {
  const rows = ofEach(boards, (board) => board.reactions);
  return (
    rows.length > 0 &&
    table({
      ...titled("From an action to the first marker or output after it", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        { title: "Action", cell: ({ action }) => named(action) },
        { title: "Marker", cell: ({ name }) => html`<code>${name}</code>` },
        BOARD,
        { title: "Count", cell: ({ took }) => grouped(took.count), isNumber: true },
        ...DISTRIBUTION.map(([title, name]) => ({
          title,
          cell: ({ took }: ReactionRecord) => formatFigure(took, name),
          isNumber: true,
        })),
        {
          title: "±",
          cell: ({ clock }) => formatValue(clock?.worstMs ?? null, "ms"),
          isNumber: true,
        },
      ],
    })
  );
}

function sleeps(boards: readonly BoardRecord[]): Content {
  const rows = ofEach(boards, ({ sleeps: slept }) => slept && [slept]);
  return (
    rows.length > 0 &&
    table({
      caption: "Deep sleep",
      rows,
      columns: [
        BOARD,
        { title: "Times", cell: ({ total }) => grouped(total), isNumber: true },
        { title: "Wanted", cell: ({ plannedMs }) => formatMs(plannedMs), isNumber: true },
        { title: "Asleep until hello", cell: ({ asleepMs }) => formatMs(asleepMs), isNumber: true },
      ],
    })
  );
}

const frames = (backtrace: readonly string[]): Content =>
  backtrace.length > 0 &&
  html`<details class="things"><summary>backtrace</summary>${backtrace.map((frame) => html`<code>${frame}</code><br>`)}</details>`;

function starts(boards: readonly BoardRecord[]): Content {
  const rows = together(boards, ({ boots }) => boots.kept);
  return (
    rows.length > 0 &&
    table({
      ...titled("Starts", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        AT,
        BOARD,
        { title: "Reset reason", cell: ({ reason }) => html`<code>${reason}</code>` },
        { title: "Asked for", cell: ({ expected }) => (expected ? "yes" : html`<strong>no</strong>`) },
        { title: "Boot time", cell: ({ bootMs }) => formatValue(bootMs, "ms"), isNumber: true },
        { title: "Firmware", cell: ({ version }) => named(version) },
      ],
    })
  );
}

function losses(boards: readonly BoardRecord[]): Content {
  const rows = together(boards, (board) => [
    ...board.detached.kept.map(({ atMs, reason }) => ({ atMs, what: "lost", how: reason, took: NOTHING })),
    ...board.recovered.kept.map(({ atMs, rung, tookMs }) => ({
      atMs,
      what: "back",
      how: rung,
      took: formatMs(tookMs),
    })),
    ...(board.givenUp === null
      ? []
      : [{ atMs: board.givenUp.atMs, what: "given up", how: board.givenUp.reason, took: NOTHING }]),
  ]);
  return (
    rows.length > 0 &&
    table({
      ...titled("Losses and recoveries", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        AT,
        BOARD,
        { title: "What", cell: ({ what }) => what },
        { title: "How", cell: ({ how }) => named(how) },
        { title: "Took", cell: ({ took }) => took, isNumber: true },
      ],
    })
  );
}

const links = (boards: readonly BoardRecord[]): Content =>
  boards.some(
    ({ link }) => link.retransmissions + link.badFrames + link.droppedLogs + (link.droppedEvents ?? 0) > 0,
  ) &&
  table({
    caption: "Serial links",
    rows: boards,
    columns: [
      BOARD,
      { title: "Frames sent again", cell: ({ link }) => grouped(link.retransmissions), isNumber: true },
      { title: "Damaged frames", cell: ({ link }) => grouped(link.badFrames), isNumber: true },
      { title: "Log lines dropped", cell: ({ link }) => grouped(link.droppedLogs), isNumber: true },
      { title: "Events dropped", cell: ({ link }) => grouped(link.droppedEvents ?? 0), isNumber: true },
    ],
  });

const firmware = (boards: readonly BoardRecord[]): Content =>
  boards.some((board) => board.firmware !== undefined) &&
  table({
    caption: "What the firmware counts",
    rows: boards,
    columns: [
      BOARD,
      {
        title: "Least free heap",
        cell: (board) => formatValue(board.firmware?.heapFreeMinBytes, "B"),
        isNumber: true,
      },
      {
        title: "Longest turn of its loop",
        cell: (board) => formatValue(board.firmware?.longestLoopMs, "ms"),
        isNumber: true,
      },
    ],
  });

function waits(boards: readonly BoardRecord[]): Content {
  const rows = together(boards, ({ logWaits }) => logWaits);
  return (
    rows.length > 0 &&
    table({
      ...titled("Waits for log lines", rows),
      rows: rows.slice(0, MAX_ROWS),
      columns: [
        AT,
        BOARD,
        { title: "Action", cell: ({ action }) => named(action) },
        { title: "Pattern", cell: ({ pattern }) => html`<code>${pattern}</code>` },
        {
          title: "Outcome",
          cell: ({ failure }) => (failure === null ? "came" : html`<strong>${named(failure)}</strong>`),
        },
        { title: "Waited", cell: ({ waitedMs }) => formatValue(waitedMs, "ms"), isNumber: true },
      ],
    })
  );
}

import type { Labels } from "../expectations/expectation.js";
import {
  counted,
  type Measure,
  type MetricSource,
  type MetricSources,
  noData,
  type NoData,
  ratioOf,
} from "../metrics/measure.js";
import type { Cell } from "./cell.js";
import { Histogram } from "./histogram.js";
import type { Ledger } from "./ledger.js";

/** The ledger's cells as metrics: a selector picks cells by stage, group, qos and stream and adds them up. */
export function deliveryMetrics(ledger: Ledger, nowUs: () => number): MetricSources {
  const select = selector(ledger);
  const seconds = (labels: Labels): number => ledger.stages.seconds(labels.stage, nowUs());

  const counter =
    (value: (cells: readonly Cell[], labels: Labels) => number): MetricSource =>
    (labels) => {
      const cells = select(labels);
      return isNoData(cells) ? cells : counted(value(cells, labels), total(cells, sent), seconds(labels));
    };

  const histogram =
    (part: (cell: Cell) => Histogram): MetricSource =>
    (labels) => {
      const cells = select(labels);
      if (isNoData(cells)) return cells;
      return { kind: "histogram", histogram: Histogram.merged(cells.map(part)), seconds: seconds(labels) };
    };

  const ofExpected =
    (measure: (cells: readonly Cell[], expectedCount: number) => Measure): MetricSource =>
    (labels) => {
      const cells = select(labels);
      if (isNoData(cells)) return cells;
      if (!ledger.isSettled) return noData("messages may still be on their way until the run has ended");
      const expectedCount = total(cells, (cell) => expected(cell, ledger));
      return expectedCount === 0 ? noData("no message was expected") : measure(cells, expectedCount);
    };
  const lost = (cell: Cell): number => expected(cell, ledger) - cell.expectedReceived;
  const isAcknowledged = (cell: Cell): boolean => ledger.streams[cell.stream]!.qos > 0;
  const sentCounter = counter((cells) => total(cells, sent));

  return {
    "latency.e2e": histogram((cell) => cell.e2e),
    "latency.service": histogram((cell) => cell.service),
    "latency.ack": histogram((cell) => cell.ack),
    "generator.schedule_lag": histogram((cell) => cell.scheduleLag),
    "telemetry.published": sentCounter,
    "delivery.sent": sentCounter,
    "delivery.acked": counter((cells) => total(cells, (cell) => cell.acked)),
    "delivery.received": counter((cells) => total(cells, (cell) => cell.received)),
    "delivery.reordered": counter((cells) => total(cells, (cell) => cell.reordered)),
    "delivery.unexpected": counter((cells) => total(cells, (cell) => cell.unexpected)),
    "delivery.no_subscribers": counter((cells) => total(cells, (cell) => cell.noSubscribers)),
    "delivery.discarded": counter((cells) => total(cells, (cell) => cell.discarded)),
    "delivery.retransmitted": counter((cells) => total(cells, (cell) => cell.retransmitted)),
    "delivery.refused": counter((cells, { code }) => total(cells, (cell) => refused(cell, code))),
    "delivery.duplicates": counter((cells, { dup }) => total(cells, (cell) => duplicates(cell, dup))),
    "delivery.unacked": counter((cells) =>
      total(cells.filter(isAcknowledged), (cell) => cell.sent - cell.acked - cell.refused),
    ),
    "delivery.duplicate_ratio": (labels) => {
      const cells = select(labels);
      if (isNoData(cells)) return cells;
      const again = total(cells, (cell) => duplicates(cell, labels.dup));
      return ratioOf(
        again,
        total(cells, (cell) => cell.received),
        "no message was received",
      );
    },
    "delivery.lost": ofExpected((cells, count) => counted(total(cells, lost), count)),
    "delivery.ratio": ofExpected((cells, count) =>
      ratioOf(
        total(cells, (cell) => cell.expectedReceived),
        count,
        "no message was expected",
      ),
    ),
    "delivery.acked_but_lost": ofExpected((cells, count) =>
      counted(total(cells.filter(isAcknowledged), lost), count),
    ),
    "delivery.staleness": stalenessMetric(ledger),
  };
}

const sent = (cell: Cell): number => cell.sent;

const total = (cells: readonly Cell[], of: (cell: Cell) => number): number =>
  cells.reduce((sum, cell) => sum + of(cell), 0);

/** E: what the observer should have got. */
function expected(cell: Cell, ledger: Ledger): number {
  const { qos, observed } = ledger.streams[cell.stream]!;
  if (!observed) return 0;
  return qos === 0 ? cell.sent : cell.acked;
}

const duplicates = (cell: Cell, dup: string | undefined): number =>
  (dup === "false" ? 0 : cell.duplicatesFlagged) + (dup === "true" ? 0 : cell.duplicatesUnflagged);

const refused = (cell: Cell, code: string | undefined): number =>
  code === undefined ? cell.refused : (cell.refusedByCode.get(Number(code)) ?? 0);

const isNoData = (cells: readonly Cell[] | NoData): cells is NoData => "kind" in cells;

/** Cells of a selector; a name that does not exist in this run is no data, not an empty sum. */
function selector(ledger: Ledger): (labels: Labels) => readonly Cell[] | NoData {
  return ({ stage, group, qos, stream }) => {
    const streams = ledger.streams.map(
      (info) =>
        (group === undefined || info.group === group) &&
        (qos === undefined || String(info.qos) === qos) &&
        (stream === undefined || info.name === stream),
    );
    if (!streams.includes(true)) return noData("no telemetry stream matches the labels");
    if (stage !== undefined && !ledger.stages.has(stage)) return noData(`the stage "${stage}" did not run`);
    return ledger.cells.filter((cell) => streams[cell.stream] && ledger.stages.selects(cell.stage, stage));
  };
}

const stalenessMetric =
  (ledger: Ledger): MetricSource =>
  ({ stage, group }) => {
    const index = group === undefined ? undefined : ledger.groups.indexOf(group);
    const histogram = ledger.staleness.select(index, (at) => ledger.stages.selects(at, stage));
    return { kind: "histogram", histogram, seconds: 0 };
  };

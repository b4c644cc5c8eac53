import type { Labels } from "../expectations/expectation.js";
import {
  counted,
  type Measure,
  type MetricSource,
  type MetricSources,
  noData,
  ratioOf,
} from "../metrics/measure.js";
import type { Cell } from "./cell.js";
import { Histogram } from "./histogram.js";
import type { Ledger, StreamInfo } from "./ledger.js";

/** The ledger's cells as metrics: a selector picks cells by stage, group, qos and stream and adds them up. */
export const deliveryMetrics = (ledger: Ledger, nowUs: () => number): MetricSources => ({
  ...latencyMetrics(ledger, nowUs),
  ...countMetrics(ledger, nowUs),
  ...expectedMetrics(ledger),
  "delivery.staleness": stalenessMetric(ledger),
});

function latencyMetrics(ledger: Ledger, nowUs: () => number): MetricSources {
  const histogram = (over: OverCells, part: (cell: Cell) => Histogram): MetricSource =>
    over(ledger, (cells, { stage }) => ({
      kind: "histogram",
      histogram: Histogram.merged(cells.map(part)),
      seconds: ledger.stages.seconds(stage, nowUs()),
    }));
  return {
    "latency.e2e": histogram(overObserved, (cell) => cell.e2e),
    "latency.service": histogram(overObserved, (cell) => cell.service),
    "latency.ack": histogram(overCells, (cell) => cell.ack),
    "generator.schedule_lag": histogram(overCells, (cell) => cell.scheduleLag),
  };
}

function countMetrics(ledger: Ledger, nowUs: () => number): MetricSources {
  const counterOver =
    (over: OverCells) =>
    (of: (cell: Cell, labels: Labels) => number): MetricSource =>
      over(ledger, (cells, labels) => {
        const value = total(cells, (cell) => of(cell, labels));
        return counted(value, total(cells, sent), ledger.stages.seconds(labels.stage, nowUs()));
      });
  const counter = counterOver(overCells);
  const observed = counterOver(overObserved);
  return {
    "telemetry.published": counter(sent),
    "delivery.sent": counter(sent),
    "delivery.acked": counter((cell) => cell.acked),
    "delivery.received": observed((cell) => cell.received),
    "delivery.reordered": observed((cell) => cell.reordered),
    "delivery.unexpected": counter((cell) => cell.unexpected),
    "delivery.no_subscribers": counter((cell) => cell.noSubscribers),
    "delivery.discarded": counter((cell) => cell.discarded),
    "delivery.retransmitted": counter((cell) => cell.retransmitted),
    "delivery.refused": counter((cell, { code }) => refused(cell, code)),
    "delivery.duplicates": observed((cell, { dup }) => duplicates(cell, dup)),
    "delivery.unacked": counter((cell) =>
      isAcknowledged(cell, ledger) ? cell.sent - cell.acked - cell.refused : 0,
    ),
    "delivery.duplicate_ratio": overObserved(ledger, (cells, { dup }) => {
      const again = total(cells, (cell) => duplicates(cell, dup));
      return ratioOf(
        again,
        total(cells, (cell) => cell.received),
        "no message was received",
      );
    }),
  };
}

/** What only the end of the run decides. */
function expectedMetrics(ledger: Ledger): MetricSources {
  const ofExpected = (measure: (cells: readonly Cell[], expectedCount: number) => Measure): MetricSource =>
    overObserved(ledger, (cells) => {
      if (!ledger.isSettled) return noData("messages may still be on their way until the run has ended");
      const expectedCount = total(cells, (cell) => expected(cell, ledger));
      return expectedCount === 0 ? noData("no message was expected") : measure(cells, expectedCount);
    });
  const lost = (cell: Cell): number => expected(cell, ledger) - cell.expectedReceived;
  return {
    "delivery.lost": ofExpected((cells, count) => counted(total(cells, lost), count)),
    "delivery.ratio": ofExpected((cells, count) => ({
      kind: "ratio",
      value: total(cells, (cell) => cell.expectedReceived) / count,
      samples: count,
    })),
    "delivery.acked_but_lost": ofExpected((cells, count) =>
      counted(
        total(cells, (cell) => (isAcknowledged(cell, ledger) ? lost(cell) : 0)),
        count,
      ),
    ),
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

const isAcknowledged = (cell: Cell, ledger: Ledger): boolean => ledger.streams[cell.stream]!.qos > 0;

type OverCells = (
  ledger: Ledger,
  measure: (cells: readonly Cell[], labels: Labels) => Measure,
) => MetricSource;

/** Measures the cells of a selector; a name that does not exist in this run is no data, not an empty sum. */
const overCells: OverCells = (ledger, measure) => over(ledger, { measure, isObservedOnly: false });

/** As `overCells`, of streams whose messages can be followed: nothing is known of the arrival of others. */
const overObserved: OverCells = (ledger, measure) => over(ledger, { measure, isObservedOnly: true });

function over(
  ledger: Ledger,
  { measure, isObservedOnly }: { measure: Parameters<OverCells>[1]; isObservedOnly: boolean },
): MetricSource {
  return (labels) => {
    const { stage, group, qos, stream } = labels;
    const chosen = ledger.streams.filter(
      (info) =>
        (group === undefined || info.group === group) &&
        (qos === undefined || String(info.qos) === qos) &&
        (stream === undefined || info.name === stream),
    );
    if (chosen.length === 0) return noData("no telemetry stream matches the labels");
    if (stage !== undefined && !ledger.stages.has(stage)) return noData(`the stage "${stage}" did not run`);
    const measured = new Set(isObservedOnly ? chosen.filter((info) => info.observed) : chosen);
    if (measured.size === 0) return noData(unobserved(chosen[0]!));
    const cells = ledger.cells.filter(
      (cell) => measured.has(ledger.streams[cell.stream]!) && ledger.stages.selects(cell.stage, stage),
    );
    return measure(cells, labels);
  };
}

const unobserved = ({
  name,
  unobservedBecause = "the observer does not subscribe to it",
}: StreamInfo): string => `the stream ${name} cannot be followed: ${unobservedBecause}`;

const stalenessMetric =
  (ledger: Ledger): MetricSource =>
  ({ stage, group }) => {
    const index = group === undefined ? undefined : ledger.groups.indexOf(group);
    const histogram = ledger.staleness.select(index, (at) => ledger.stages.selects(at, stage));
    return { kind: "histogram", histogram, seconds: 0 };
  };

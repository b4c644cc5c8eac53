import type { RunRecord, SeriesRecord, StageRecord } from "../../../record/run-record.js";
import { formatMs } from "../../outcome.js";
import { chart, type Layer, type Marker } from "../chart/chart.js";
import { type Content, named } from "../markup.js";
import { table } from "../table.js";
import { findMetricRecord, formatValue, NOTHING } from "../../record-values.js";
import { findSeries, maxOf, meanOf, pointsWithin, type Section, stageBands } from "./section.js";

/** Messages per second over the run and by stage. */
export function trafficSection(run: RunRecord): Section {
  const sent = findSeries(run, "delivery.sent");
  const received = findSeries(run, "delivery.received");
  const layers: Layer[] = [
    ...(sent === undefined ? [] : [{ kind: "area", name: "sent", tone: 5, series: sent } as const]),
    ...(received === undefined
      ? []
      : [{ kind: "line", name: "received", tone: 1, series: received } as const]),
  ];
  if (layers.length === 0) return { id: "traffic", title: "Traffic", content: [] };
  return {
    id: "traffic",
    title: "Traffic",
    lead: "Messages handed to the transport, and distinct messages that reached the observer.",
    content: [
      chart({
        title: "Messages sent and received per second over the run, with its stages",
        axis: "messages per second",
        unit: "/s",
        fromMs: 0,
        toMs: run.durationMs,
        bands: stageBands(run),
        markers: actionMarkers(run),
        layers,
      }),
      stageTable(run, sent, received),
    ],
  };
}

/** More marks than this would hide the curve; the table of faults has them all. */
const MAX_MARKERS = 4;

/** What the scenario did, on the curve it should show on. Actions of one instant share a mark. */
function actionMarkers({ faults }: RunRecord): readonly Marker[] {
  const byInstant = new Map<number, Set<string>>();
  for (const { atMs, fault } of faults) byInstant.set(atMs, (byInstant.get(atMs) ?? new Set()).add(fault));
  return [...byInstant]
    .slice(0, MAX_MARKERS)
    .map(([atMs, names]) => ({ atMs, name: [...names].join(", "), tone: "plain" }));
}

function stageTable(run: RunRecord, sent?: SeriesRecord, received?: SeriesRecord): Content {
  const within = (series: SeriesRecord | undefined, stage: StageRecord): number[] =>
    series === undefined ? [] : pointsWithin(series, stage.startMs, stage.endMs);
  const rate = (value: number | null): string => formatValue(value, "/s");
  return table({
    caption: "Rates by stage",
    rows: run.stages,
    columns: [
      { title: "Stage", cell: ({ name }) => named(name) },
      { title: "Length", cell: ({ startMs, endMs }) => formatMs(endMs - startMs), isNumber: true },
      { title: "Sent, mean", cell: (stage) => rate(meanOf(within(sent, stage))), isNumber: true },
      { title: "Received, mean", cell: (stage) => rate(meanOf(within(received, stage))), isNumber: true },
      { title: "Received, peak", cell: (stage) => rate(maxOf(within(received, stage))), isNumber: true },
      { title: "Lost", cell: ({ name }) => count(run, "delivery.lost", name), isNumber: true },
      { title: "Duplicates", cell: ({ name }) => count(run, "delivery.duplicates", name), isNumber: true },
      {
        title: "Measured",
        cell: ({ measured, timedOut }) => (timedOut ? "timed out" : measured ? "yes" : "no"),
      },
    ],
  });
}

const count = (run: RunRecord, name: string, stage: string): string => {
  const record = findMetricRecord(run.metrics, name, { stage });
  return record === undefined ? NOTHING : formatValue(record.value, record.unit);
};

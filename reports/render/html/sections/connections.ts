import type { RunRecord, SeriesRecord } from "../../../record/run-record.js";
import { chart } from "../chart/chart.js";
import { findSeries, type Section, stageBands } from "./section.js";

/** Who was there, and how hard everybody tried to be. */
export function connectionsSection(run: RunRecord): Section {
  const online = findSeries(run, "connections.online");
  const attempts = findSeries(run, "connect.attempts");
  const common = { fromMs: 0, toMs: run.durationMs, bands: stageBands(run) };
  return {
    id: "connections",
    title: "Connections",
    content: [
      online !== undefined &&
        chart({
          ...common,
          title: "Things online over the run",
          axis: "things online",
          unit: "things",
          height: 160,
          max: run.devices,
          layers: [
            {
              kind: "area",
              name: "online",
              tone: 3,
              series: held(online, run, online.points.at(-1) ?? null),
            },
          ],
        }),
      attempts !== undefined &&
        chart({
          ...common,
          title: "Connection attempts per second over the run",
          axis: "connection attempts per second",
          unit: "/s",
          height: 120,
          layers: [{ kind: "area", name: "attempts", tone: 2, series: held(attempts, run, 0) }],
        }),
    ],
  };
}

/** The record ends at the last connection event; after it who is online stays online and nobody tries to connect. */
function held(series: SeriesRecord, { durationMs }: RunRecord, value: number | null): SeriesRecord {
  const steps = Math.floor((durationMs - series.startMs) / series.stepMs);
  const missing = Math.max(0, steps - series.points.length);
  return { ...series, points: [...series.points, ...Array.from({ length: missing }, () => value)] };
}

import type { RolloutRecord, RunRecord, SeriesRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { chart, type Layer, type Marker } from "../chart/chart.js";
import { html, type Markup, named } from "../markup.js";
import { facts, table } from "../table.js";
import { formatValue } from "../../record-values.js";
import { formatClock } from "../chart/scale.js";
import type { Section } from "./section.js";

/** From the floor of the stack upwards: what is over below what is going on. */
const STATES: readonly (readonly [status: string, tone: number])[] = [
  ["SUCCEEDED", 3],
  ["FAILED", 7],
  ["TIMED_OUT", 2],
  ["REJECTED", 4],
  ["REMOVED", 6],
  ["IN_PROGRESS", 1],
  ["QUEUED", 8],
  ["CANCELED", 5],
];

/** Each job: as planned, as it was, and what became of the executions. */
export const rolloutSection = ({ rollouts, durationMs }: RunRecord): Section => ({
  id: "rollout",
  title: "Rollout",
  content: rollouts.map((rollout) => rolloutPart(rollout, durationMs)),
});

function rolloutPart(rollout: RolloutRecord, durationMs: number): Markup {
  const { jobId, targets, status, abort, createdMs, planned, notified, totals } = rollout;
  const markers: Marker[] = abort === null ? [] : [{ atMs: abort.atMs, name: "aborted", tone: "plain" }];
  const common = { unit: "things", fromMs: createdMs, toMs: Math.max(durationMs, createdMs + 1), markers };
  const share = (count: number): string => `${grouped(count)} (${formatValue(count / targets, "ratio")})`;
  return html`<h4>Job ${named(jobId)} <span class="muted">${status}</span></h4>
${abort !== null && html`<p class="alert">Aborted at ${formatClock(abort.atMs)}, ${formatValue(abort.atMs - createdMs, "ms")} after its creation. ${abort.text}</p>`}
${facts([
  ["Targets", grouped(targets)],
  ["Notified", targets === 0 ? "–" : share(totals["notified"] ?? 0)],
  ["Executed", targets === 0 ? "–" : share(totals["executed"] ?? 0)],
  ["Silent after update", grouped(totals["silent"] ?? 0)],
])}
${chart({
  ...common,
  title: `Things notified by job ${jobId}, as planned and as it was`,
  axis: "things notified",
  layers: [
    { kind: "dashed", name: "planned", tone: 5, series: planned, offset: 1 },
    { kind: "step", name: "notified", tone: 1, series: notified, offset: 1 },
  ],
})}
${plannedTable(rollout)}
${chart({
  ...common,
  title: `Executions of job ${jobId} by state`,
  axis: "executions by state",
  layers: stateLayers(rollout.states),
})}
${stateTable(rollout)}`;
}

const statusOf = ({ labels }: SeriesRecord): string => labels["status"] ?? "";

/** Only states that occurred. */
function stateLayers(states: readonly SeriesRecord[]): Layer[] {
  return STATES.flatMap(([status, tone]): Layer[] => {
    const series = states.find((each) => statusOf(each) === status);
    return series === undefined ? [] : [{ kind: "stack", name: status, tone, series, offset: 1 }];
  });
}

/** Both curves at a handful of instants. */
function plannedTable({ planned, notified, createdMs }: RolloutRecord): Markup {
  const last = Math.max(0, notified.points.length - 1);
  const indices = [...new Set([0, 0.1, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)))];
  return table({
    caption: "Planned and actual",
    rows: indices,
    columns: [
      {
        title: "After creation",
        cell: (index) => formatValue(notified.startMs + (index + 1) * notified.stepMs - createdMs, "ms"),
      },
      { title: "Planned", cell: (index) => formatValue(planned.points[index], "things"), isNumber: true },
      { title: "Notified", cell: (index) => formatValue(notified.points[index], "things"), isNumber: true },
    ],
  });
}

const stateTable = ({ totals, targets }: RolloutRecord): Markup =>
  table({
    caption: "Executions at the end",
    rows: STATES.filter(([status]) => (totals[status] ?? 0) > 0),
    columns: [
      { title: "State", cell: ([status, tone]) => html`<i class="swatch t${tone} stack"></i>${status}` },
      { title: "Things", cell: ([status]) => grouped(totals[status] ?? 0), isNumber: true },
      {
        title: "Of targets",
        cell: ([status]) => (targets === 0 ? "–" : formatValue((totals[status] ?? 0) / targets, "ratio")),
        isNumber: true,
      },
    ],
  });

import type { RunRecord, StormRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { chart } from "../chart/chart.js";
import { html, type Markup, named } from "../markup.js";
import { table } from "../table.js";
import { formatValue } from "../../record-values.js";
import type { Section } from "./section.js";

/** What followed each disconnect action, group by group. */
export function stormSection({ storms }: RunRecord): Section {
  return {
    id: "storm",
    title: "Reconnect storm",
    lead: "Attempts to reconnect of the things that lost their connection, from the loss until the last one was back.",
    content:
      storms.length === 0
        ? []
        : [
            html`<div class="${storms.length > 1 && "multiples"}">${storms.map((storm) =>
              stormChart(
                storm,
                storms.filter(({ action }) => action === storm.action),
              ),
            )}</div>`,
            stormTable(storms),
          ],
  };
}

const maximum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);

/** The groups that one action hit are drawn to the same scales, so that their policies can be compared. */
function stormChart(storm: StormRecord, siblings: readonly StormRecord[]): Markup {
  const { attempts, restoredMs, group, policy } = storm;
  const ends = siblings.map(
    (each) => each.attempts.startMs + each.attempts.points.length * each.attempts.stepMs,
  );
  return html`<div><h4>${named(group)}${policy !== group && html` <span class="muted">with ${named(policy)}</span>`}</h4>${chart(
    {
      title: `Reconnect attempts per second of group ${group} with policy ${policy}`,
      axis: "attempts per second",
      unit: "/s",
      fromMs: siblings.reduce((first, each) => Math.min(first, each.downMs), storm.downMs),
      toMs: maximum([...ends, restoredMs]),
      height: 180,
      max: maximum(siblings.flatMap((each) => each.attempts.points)),
      layers: [{ kind: "area", name: "attempts", tone: 2, series: attempts }],
      markers: restoredMs > storm.downMs ? [{ atMs: restoredMs, name: "link restored", tone: "good" }] : [],
    },
  )}</div>`;
}

const stormTable = (storms: readonly StormRecord[]): Markup =>
  table({
    caption: "Storms in figures",
    rows: storms,
    columns: [
      { title: "Group", cell: ({ group }) => named(group) },
      { title: "Action", cell: ({ action }) => named(action) },
      { title: "Policy", cell: ({ policy }) => named(policy) },
      { title: "Lost", cell: ({ lost }) => grouped(lost), isNumber: true },
      {
        title: "Peak after restore",
        cell: ({ peakPerSecond }) => formatValue(peakPerSecond, "/s"),
        isNumber: true,
      },
      {
        title: "Attempts per thing",
        cell: ({ amplification }) => formatValue(amplification, ""),
        isNumber: true,
      },
      { title: "Half back", cell: ({ backMs }) => formatValue(backMs.p50, "ms"), isNumber: true },
      { title: "95 % back", cell: ({ backMs }) => formatValue(backMs.p95, "ms"), isNumber: true },
      { title: "All back", cell: ({ backMs }) => formatValue(backMs.all, "ms"), isNumber: true },
      { title: "Backoff", cell: ({ grade }) => grade ?? "–" },
    ],
  });

import type { FaultRecord, RunRecord } from "../../../record/run-record.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { type Content, html, named } from "../markup.js";
import { table } from "../table.js";
import { formatClock } from "../chart/scale.js";
import type { Section } from "./section.js";

/** What was done to whom, and when, and what was not done because it means nothing to them. */
export const faultsSection = ({ faults, skippedActions = [] }: RunRecord): Section => ({
  id: "faults",
  title: "Faults and actions",
  content: [
    faults.length > 0 &&
      table({
        caption: "Faults and actions",
        hidesCaption: true,
        rows: faults,
        columns: [
          { title: "At", cell: ({ atMs }) => formatClock(atMs), isNumber: true },
          { title: "Fault", cell: ({ fault }) => html`<code>${fault}</code>` },
          { title: "Detail", cell: ({ detail }) => named(detail) },
          { title: "Things", cell: ({ count }) => grouped(count), isNumber: true },
          { title: "Whom", cell: whom },
        ],
      }),
    skippedActions.length > 0 &&
      table({
        caption: "Skipped",
        rows: skippedActions,
        columns: [
          { title: "At", cell: ({ atMs }) => formatClock(atMs), isNumber: true },
          { title: "Action", cell: ({ action }) => named(action) },
          { title: "Reason", cell: ({ reason }) => named(reason) },
          { title: "Things", cell: ({ count }) => grouped(count), isNumber: true },
          { title: "Whom", cell: whom },
        ],
      }),
  ],
});

const SHOWN = 3;

function whom({ things, count }: Pick<FaultRecord, "things" | "count">): Content {
  const names = (list: readonly string[]): Content =>
    list.map((thing, index) => html`${index > 0 && ", "}${named(thing)}`);
  if (things.length <= SHOWN) return names(things);
  const hidden = count - things.length;
  return html`<details class="things"><summary>${names(things.slice(0, SHOWN))} …</summary>${names(things)}${hidden > 0 && html` and ${grouped(hidden)} more`}</details>`;
}

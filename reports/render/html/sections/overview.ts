import type { RunRecord, SuiteRecord } from "../../../record/run-record.js";
import { countOutcomes, countsText, expectationsOf, formatMs, runName } from "../../outcome.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { sparkline } from "../chart/sparkline.js";
import { badge } from "../icon.js";
import { html, type Markup, named } from "../markup.js";
import { table } from "../table.js";
import { findSeries } from "./section.js";

interface Entry {
  readonly run: RunRecord;
  /** Undefined when the run has no section of its own. */
  readonly anchor: string | undefined;
}

/** All runs of a suite at a glance. */
export const overviewTable = (
  { runs }: SuiteRecord,
  anchorOf: (run: RunRecord) => string | undefined,
): Markup =>
  html`<section id="runs" aria-labelledby="runs-title"><h2 id="runs-title" class="small">Runs</h2>${table<Entry>(
    {
      caption: "Runs",
      hidesCaption: true,
      className: "sortable overview",
      rows: runs.map((run) => ({ run, anchor: anchorOf(run) })),
      columns: [
        {
          title: "Scenario",
          cell: ({ run, anchor }) =>
            anchor === undefined
              ? named(runName(run))
              : html`<a href="#${anchor}">${named(runName(run))}</a>`,
        },
        { title: "Seed", cell: ({ run }) => run.seed, isNumber: true },
        { title: "Devices", cell: ({ run }) => grouped(run.devices), isNumber: true },
        { title: "Length", cell: ({ run }) => formatMs(run.durationMs), isNumber: true },
        { title: "Received per second", cell: ({ run }) => curveOf(run) },
        { title: "Expectations", cell: ({ run }) => countsText(countOutcomes(expectationsOf(run))) },
        { title: "Verdict", cell: ({ run }) => badge(run.verdict) },
      ],
    },
  )}</section>`;

const curveOf = (run: RunRecord): Markup =>
  sparkline(
    findSeries(run, "delivery.received")?.points ?? [],
    `Messages received per second in ${runName(run)}`,
  );

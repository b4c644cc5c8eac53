import type { ExpectationRecord } from "../../../record/run-record.js";
import { hasOwnName, labelOf, outcomeOf, OUTCOMES, remarkOf } from "../../outcome.js";
import { grouped } from "../../../metrics/format-quantity.js";
import { badge } from "../icon.js";
import { type Content, html, type Markup, named } from "../markup.js";
import { table } from "../table.js";

/** Worst first, in the order of the file within an outcome. */
export function expectationTable(expectations: readonly ExpectationRecord[], caption: string): Markup {
  const rows = OUTCOMES.flatMap((outcome) => expectations.filter((each) => outcomeOf(each) === outcome));
  return table({
    caption,
    hidesCaption: true,
    className: "expectations",
    rows,
    columns: [
      { title: "Expectation", cell: subject },
      { title: "Got", cell: got, isNumber: true },
      { title: "Expected", cell: (row) => html`<span class="limit">${row.limit}</span>` },
      { title: "Samples", cell: ({ samples }) => grouped(samples), isNumber: true, className: "minor" },
      { title: "Line", cell: ({ line }) => line, isNumber: true, className: "minor" },
      { title: "Outcome", cell: (row) => badge(outcomeOf(row)) },
    ],
  });
}

const subject = (expectation: ExpectationRecord): Content => {
  const remark = remarkOf(expectation);
  const isMissed = expectation.verdict !== "pass";
  return html`${
    hasOwnName(expectation)
      ? html`<span class="name">${named(labelOf(expectation))}</span><code class="expr">${expectation.expr}</code>`
      : html`<code class="name">${labelOf(expectation)}</code>`
  }${remark !== undefined && html`<span class="remark">${named(remark)}</span>`}${
    isMissed && html`<span class="where">${named(expectation.file)}:${expectation.line}</span>`
  }`;
};

const got = (expectation: ExpectationRecord): Content =>
  html`<strong class="got ${outcomeOf(expectation)}">${expectation.measured}</strong>`;

import { type Content, html, type Markup } from "./markup.js";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Content;
  /** Numbers stand right. */
  readonly isNumber?: boolean;
  /** For the style sheet, such as `minor` for what narrow screens can do without. */
  readonly className?: string;
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** The caption is for screen readers only, because a heading right above says the same. */
  readonly hidesCaption?: boolean;
  readonly className?: string;
}

/** A table that scrolls inside its own box when it is wider than the page. The first column names the row. */
export function table<Row>({ caption, columns, rows, hidesCaption, className }: TableOptions<Row>): Markup {
  const kind = (column: Column<Row>): string =>
    [column.isNumber === true ? "num" : "", column.className ?? ""].filter(Boolean).join(" ");
  const cell = (column: Column<Row>, row: Row, index: number): Markup =>
    index === 0
      ? html`<th scope="row" class="${kind(column)}">${column.cell(row)}</th>`
      : html`<td class="${kind(column)}">${column.cell(row)}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table class="${className}">
<caption class="${hidesCaption === true && "unseen"}">${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${kind(column)}">${column.title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, index) => cell(column, row, index))}</tr>\n`)}</tbody>
</table></div>`;
}

/** Facts as pairs of a term and its value. */
export const facts = (pairs: readonly (readonly [term: string, value: Content])[]): Markup =>
  html`<dl class="facts">${pairs.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;

import type { Verdict } from "../../record/run-record.js";
import type { Outcome } from "../outcome.js";
import { html, type Markup, trustedMarkup } from "./markup.js";

/** Icons differ in shape; colour only repeats what they say. */
const SHAPES: Readonly<Record<Outcome | Verdict, string>> = {
  passed: '<path d="M4.5 8.4l2.4 2.4 4.8-5.3"/>',
  failed: '<path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>',
  error: '<path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>',
  warning: '<path d="M8 4v4.6M8 11.6v.1"/>',
  inconclusive: '<path d="M6 6.1a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.8v.1"/>',
  skipped: '<path d="M4.8 8h6.4"/>',
  interrupted: '<path d="M4.8 8h6.4"/>',
};

export const icon = (outcome: Outcome | Verdict): Markup =>
  html`<svg class="icon ${outcome}" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="8"/>${trustedMarkup(SHAPES[outcome])}</svg>`;

/** Icon and word. */
export const badge = (outcome: Outcome | Verdict): Markup =>
  html`<span class="badge ${outcome}">${icon(outcome)}${outcome}</span>`;

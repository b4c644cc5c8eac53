import { createHash } from "node:crypto";
import { type Content, html, type Markup, trustedMarkup } from "./markup.js";
import { SCRIPT } from "./script.js";
import { STYLE } from "./style.js";

/** One page of any kind. */
export interface DocumentPage {
  readonly title: string;
  /** Behind the name: `report`. */
  readonly kind: string;
  /** ISO 8601; undefined where nothing has begun. */
  readonly startedAt: string | undefined;
  readonly body: Content;
  readonly footer: Content;
}

/** Nothing may be loaded, and only the one script of this page may run. */
const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash("sha256").update(SCRIPT).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** One self-contained page that needs no network and no script. */
export const documentPage = ({ title, kind, startedAt, body, footer }: DocumentPage): string =>
  (
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trustedMarkup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trustedMarkup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
<header class="masthead"><p class="brand"><span class="mark" aria-hidden="true"></span>fleetrig <span class="muted">${kind}</span></p>
<p class="when">${startedAt?.slice(0, 16).replace("T", " ")}</p>
<button type="button" id="theme" hidden>Theme</button></header>
<main id="report">
${body}
</main>
<footer><p>${footer}</p></footer>
<script>${trustedMarkup(SCRIPT)}</script>
</body>
</html>
` satisfies Markup
  ).text;

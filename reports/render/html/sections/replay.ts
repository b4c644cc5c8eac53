import { html, type Markup } from "../markup.js";

/** A command to copy; the button appears only where the script runs. */
export const replayBox = (command: string): Markup =>
  html`<div class="replay"><pre tabindex="0"><code>${command}</code></pre><button type="button" class="copy" hidden>Copy</button></div>`;

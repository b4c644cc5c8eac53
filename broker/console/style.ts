/** The console's style: one column on a phone, tables that scroll in themselves, light and dark. */
export const STYLE_CSS = `:root {
  color-scheme: light dark;
  --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #ffffff; --panel: #f6f8fa; --accent: #0550ae;
  --good: #1a7f37; --busy: #0969da; --bad: #cf222e; --idle: #8c959f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --soft: #9da7b1; --line: #30363d; --paper: #0d1117; --panel: #161b22; --accent: #79c0ff;
    --good: #3fb950; --busy: #58a6ff; --bad: #ff7b72; --idle: #6e7681;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; padding: 0.75rem 1rem; background: var(--panel); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0; }
h2 { font-size: 1.1rem; }
h3 { font-size: 1rem; }
h4 { font-size: 0.85rem; margin: 0; color: var(--soft); }
main, #notice { padding: 0 1rem; }
#notice:empty { display: none; }
button, input, textarea { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 4px; padding: 0.2rem 0.6rem; max-width: 100%; }
button { cursor: pointer; background: var(--panel); }
button[aria-current], button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
nav ul, .messages { list-style: none; padding: 0; }
nav li { margin: 0.25rem 0; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
pre, code, textarea { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre { background: var(--panel); padding: 0.5rem; margin: 0.25rem 0; border-radius: 4px; max-height: 20rem; overflow: auto; }
textarea { width: 100%; display: block; margin: 0.5rem 0; }
.split { display: grid; grid-template-columns: minmax(12rem, 1fr) 3fr; gap: 1rem; }
.columns { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.75rem; }
@media (max-width: 720px) { .split, .columns { grid-template-columns: 1fr; } }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.bar { display: flex; height: 0.8rem; min-width: 10rem; border-radius: 3px; overflow: hidden; background: var(--line); }
.part { background: var(--idle); }
.part.succeeded { background: var(--good); }
.part.in_progress { background: var(--busy); }
.part.failed, .part.rejected, .part.timed_out { background: var(--bad); }
.words, .empty { color: var(--soft); }
`;

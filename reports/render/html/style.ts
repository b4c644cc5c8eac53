/**
 * The style sheet. Colours are given once for both schemes and keep WCAG AA contrast (4.5:1 for text) on every
 * surface they are used on; the curves' colours can be told apart with any kind of colour vision, and each curve
 * also carries its name.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#ffffff, #0f1216);
  --soft: light-dark(#f5f6f8, #171c22);
  --line: light-dark(#e2e5ea, #2b323b);
  --ink: light-dark(#12161c, #e9ecf1);
  --muted: light-dark(#586271, #9ba6b5);
  --accent: light-dark(#1a56c4, #86b3ff);
  --good: light-dark(#0a6e44, #57d39b);
  --good-soft: light-dark(#e6f4ec, #11271e);
  --bad: light-dark(#b0241c, #ff8f85);
  --bad-soft: light-dark(#fcebe9, #331716);
  --warn: light-dark(#855600, #efbf5f);
  --warn-soft: light-dark(#fbf1dc, #2c2312);
  --doubt: light-dark(#65389b, #c9a8f6);
  --doubt-soft: light-dark(#f2ebfa, #251b35);
  --t1: light-dark(#1a5fd0, #78abff);
  --t2: light-dark(#b85207, #ffa05f);
  --t3: light-dark(#0b7566, #4fd0b6);
  --t4: light-dark(#8a3687, #df98da);
  --t5: light-dark(#657080, #98a3b2);
  --t6: light-dark(#8a6100, #e2b545);
  --t7: light-dark(#b0241c, #ff8f85);
  --t8: light-dark(#6c7687, #7d8898);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
[data-theme="light"] { color-scheme: light; }
[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main, .masthead, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
code, pre { font-family: var(--mono); font-size: .875em; font-variant-ligatures: none; overflow-wrap: anywhere; }
.muted { color: var(--muted); font-weight: 400; }
.unseen, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:focus { position: absolute; padding: 8px 16px; background: var(--page); z-index: 9; }
button { font: inherit; font-size: 13px; color: var(--ink); background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 4px 12px; cursor: pointer; }
button:hover { border-color: var(--muted); }
[hidden] { display: none !important; }

.masthead { display: flex; align-items: center; gap: 16px; padding-top: 20px; padding-bottom: 20px; font-size: 14px; }
.masthead p { margin: 0; }
.brand { font-weight: 650; letter-spacing: -.01em; display: flex; gap: 8px; align-items: center; }
.mark { width: 14px; height: 14px; border-radius: 4px; background: linear-gradient(135deg, var(--t1) 50%, var(--t3) 50%); }
.when { margin-left: auto !important; color: var(--muted); }

article + article, section + article { border-top: 1px solid var(--line); margin-top: 96px; padding-top: 24px; }
.run-head { padding: 40px 0 32px; }
.kicker { display: flex; align-items: center; gap: 10px; margin: 0 0 12px; font-weight: 650; font-size: 15px; color: var(--muted); }
.kicker span::first-letter { text-transform: uppercase; }
.kicker .icon { width: 28px; height: 28px; }
.passed > .kicker { color: var(--good); }
.failed > .kicker, .error > .kicker { color: var(--bad); }
.inconclusive > .kicker { color: var(--doubt); }
.interrupted > .kicker { color: var(--warn); }
h1, .run-head h2 { font-size: clamp(1.75rem, 1.1rem + 2.6vw, 2.75rem); line-height: 1.12; letter-spacing: -.025em; font-weight: 680; margin: 0; overflow-wrap: anywhere; text-wrap: balance; }
.description { margin: 16px 0 0; font-size: 1.125rem; color: var(--muted); max-width: 62ch; }
h2.small, h3 { font-size: 1.375rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 650; margin: 0 0 4px; }
h4 { font-size: 1rem; font-weight: 650; margin: 32px 0 8px; }
.lead { margin: 0 0 20px; color: var(--muted); max-width: 72ch; }
section { padding: 48px 0 0; scroll-margin-top: 8px; }
section > h3 + .scroll, section > h3 + dl, section > h3 + figure { margin-top: 16px; }

.figures { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 16px 24px; margin: 36px 0 0; padding: 18px 0; border-block: 1px solid var(--line); }
.figures li { display: flex; flex-direction: column; }
.figures strong { font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; font-weight: 620; }
.figures span { font-size: 13px; color: var(--muted); }

.icon { width: 18px; height: 18px; flex: none; }
.icon circle { fill: currentColor; }
.icon path { fill: none; stroke: var(--page); stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
.badge { display: inline-flex; align-items: center; gap: 6px; font-size: 13px; font-weight: 600; white-space: nowrap; vertical-align: middle; letter-spacing: 0; }
.badge .icon { width: 16px; height: 16px; }
.badge.passed, .icon.passed { color: var(--good); }
.badge.failed, .badge.error, .icon.failed, .icon.error { color: var(--bad); }
.badge.warning, .badge.interrupted, .badge.skipped, .icon.warning, .icon.interrupted, .icon.skipped { color: var(--warn); }
.badge.inconclusive, .icon.inconclusive { color: var(--doubt); }
.got.failed { color: var(--bad); }
.got.warning, .got.skipped { color: var(--warn); }
.got.inconclusive { color: var(--doubt); }

.trust { background: var(--soft); border-radius: 12px; padding: 20px 24px; }
.trust.doubt { background: var(--doubt-soft); }
.statement { display: flex; gap: 10px; align-items: flex-start; margin: 0 0 16px; font-weight: 600; }
.statement .icon { margin-top: 3px; }
.notes { margin: 0 0 16px; padding-left: 28px; font-size: 15px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px 24px; margin: 0; }
[id$="-environment"] .facts { grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); }
.facts div { min-width: 0; }
.facts dt { font-size: 12.5px; color: var(--muted); }
.facts dd { margin: 0; font-size: 15px; overflow-wrap: anywhere; }
.alert { border-radius: 8px; padding: 12px 16px; margin: 16px 0; background: var(--warn-soft); }
.alert.bad { background: var(--bad-soft); color: var(--bad); font-weight: 550; }

.contents { display: flex; flex-wrap: wrap; gap: 6px 20px; padding: 24px 0 0; font-size: 14px; }
.contents a { color: var(--muted); text-decoration: none; }
.contents a:hover { color: var(--accent); text-decoration: underline; }

.scroll { overflow-x: auto; margin: 20px 0 0; scrollbar-width: thin; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; }
caption { text-align: left; font-size: 13px; font-weight: 600; color: var(--muted); padding: 0 0 6px; }
th, td { text-align: left; vertical-align: baseline; padding: 9px 20px 9px 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: 12.5px; font-weight: 550; color: var(--muted); white-space: nowrap; padding-block: 6px; vertical-align: bottom; }
tbody th { font-weight: 500; }
table:not(.expectations) tbody th { white-space: nowrap; }
.num { text-align: right; white-space: nowrap; }
button.sort { all: unset; cursor: pointer; }
button.sort:focus-visible { outline: 2px solid var(--accent); }
[aria-sort="ascending"] button.sort::after { content: " ↑"; }
[aria-sort="descending"] button.sort::after { content: " ↓"; }
.expectations .name { font-weight: 550; display: block; }
.expectations code.name { font-size: 13.5px; }
.expectations .expr, .remark, .where { display: block; color: var(--muted); font-size: 13px; font-weight: 400; }
.remark { max-width: 60ch; }
.expectations td, .expectations th { padding-block: 11px; }
.limit { font-family: var(--mono); font-size: 13px; white-space: nowrap; color: var(--muted); }
td.minor { color: var(--muted); }

.chart { margin: 20px 0 0; container-type: inline-size; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 2px 20px; justify-content: space-between; align-items: baseline; font-size: 13px; color: var(--muted); }
.axis { font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.key { display: inline-flex; align-items: center; gap: 6px; }
.swatch { display: inline-block; width: 14px; height: 3px; border-radius: 2px; background: currentColor; flex: none; vertical-align: middle; }
.swatch.area, .swatch.stack { height: 11px; border-radius: 3px; }
.swatch.dashed { background: repeating-linear-gradient(90deg, currentColor 0 5px, transparent 5px 8px); width: 18px; }
td .swatch, th .swatch { margin-right: 8px; }
.canvas { position: relative; margin: 34px 104px 30px 60px; touch-action: pan-y; }
.canvas > svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.canvas path { vector-effect: non-scaling-stroke; fill: none; }
.grid { stroke: var(--line); }
.base { stroke: var(--muted); stroke-opacity: .55; }
.band { fill: var(--muted); fill-opacity: 0; }
.band.even { fill-opacity: .055; }
.line { stroke: currentColor; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.line.dashed { stroke-dasharray: 6 4; }
.canvas .area, .spark .area { fill: currentColor; fill-opacity: .16; stroke: none; }
.canvas .stack { fill: currentColor; fill-opacity: .82; stroke: var(--page); stroke-width: .75; }
.marker { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 3; }
.marker.good { stroke: var(--good); }
.t1 { color: var(--t1); } .t2 { color: var(--t2); } .t3 { color: var(--t3); } .t4 { color: var(--t4); }
.t5 { color: var(--t5); } .t6 { color: var(--t6); } .t7 { color: var(--t7); } .t8 { color: var(--t8); }
.ytick, .xtick, .stage, .flag, .end, .lane { position: absolute; font-size: 12px; line-height: 16px; color: var(--muted); white-space: nowrap; }
.ytick { right: calc(100% + 10px); transform: translateY(-50%); }
.xtick { top: calc(100% + 8px); transform: translateX(-50%); }
.stage { top: -22px; padding: 0 4px; overflow: hidden; text-overflow: ellipsis; text-align: center; }
.flag { max-width: 45%; overflow: hidden; text-overflow: ellipsis; font-weight: 600; padding: 1px 7px; border-radius: 4px; background: var(--page); border: 1px solid currentColor; }
.flag.after { margin-left: 6px; }
.flag.before { margin-right: 6px; }
.flag.good { color: var(--good); }
.flag.plain { color: var(--ink); }
.end { left: calc(100% + 10px); transform: translateY(-50%); font-weight: 600; max-width: 98px; overflow: hidden; text-overflow: ellipsis; }
.end.t1 { color: var(--t1); } .end.t2 { color: var(--t2); } .end.t3 { color: var(--t3); } .end.t4 { color: var(--t4); }
.end.t5 { color: var(--t5); } .end.t6 { color: var(--t6); } .end.t7 { color: var(--t7); } .end.t8 { color: var(--t8); }
.lane { left: 0; font-weight: 600; color: var(--ink); }
.strip .canvas { margin: 12px 12px 30px 12px; }
.dots { stroke: currentColor; stroke-width: 7; stroke-linecap: round; stroke-opacity: .75; }
.median { stroke: var(--ink); stroke-width: 1.5; }
.cross { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--ink); opacity: .5; pointer-events: none; }
.tip { position: absolute; top: 0; z-index: 2; display: grid; gap: 2px; padding: 8px 12px; font-size: 12.5px; white-space: nowrap; background: var(--page); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 4px 16px rgb(0 0 0 / .14); pointer-events: none; }
.tip span { display: flex; align-items: center; gap: 6px; }
.tip .swatch { height: 3px; }
.spark { width: 120px; height: 28px; display: inline-block; vertical-align: middle; }
.sharebar { width: 160px; height: 10px; display: inline-block; vertical-align: middle; }
.sharebar rect { fill: var(--line); }
.sharebar .part { fill: currentColor; }
.spark path { fill: none; }
.multiples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 8px 40px; }
.multiples > div { min-width: 0; }
.multiples .canvas { margin-right: 16px; }
.multiples .ends { display: none; }
@container (max-width: 620px) {
  .canvas { margin: 30px 8px 30px 46px; }
  .ends, .xtick.odd { display: none; }
  .ytick, .xtick, .stage { font-size: 11px; }
}
@container (min-width: 621px) { .named .legend { display: none; } }

.replay { display: flex; gap: 12px; align-items: flex-start; background: var(--soft); border-radius: 8px; padding: 12px 16px; margin: 12px 0 0; }
.replay pre { margin: 0; flex: 1; min-width: 0; white-space: pre-wrap; line-height: 1.6; }
summary { cursor: pointer; }
.fold > summary { margin: 12px 0 0; font-weight: 550; color: var(--accent); }
.things > summary { color: inherit; }
.things[open] { max-width: 44ch; }
footer { margin-top: 96px; padding-top: 24px; padding-bottom: 48px; border-top: 1px solid var(--line); font-size: 13px; color: var(--muted); }

@media (max-width: 720px) {
  main, .masthead, footer { padding-left: 16px; padding-right: 16px; }
  .when { display: none; }
  .masthead button { margin-left: auto; }
  .run-head { padding: 20px 0 24px; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  .trust { padding: 16px; margin-inline: -4px; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); }
  .expectations thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .expectations, .expectations tbody { display: block; }
  .expectations tr { display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; padding: 12px 0; border-bottom: 1px solid var(--line); }
  .expectations th, .expectations td { display: block; padding: 0; border: 0; text-align: left; }
  .expectations th { grid-column: 1 / -1; }
  .expectations td:last-child { grid-row: 2; grid-column: 2; }
  .expectations td.num:not(.minor) { grid-row: 2; grid-column: 1; white-space: normal; }
  .expectations td:nth-child(3) { grid-row: 3; grid-column: 1 / -1; }
  .expectations td:nth-child(3)::before { content: "expected "; font-size: 13px; color: var(--muted); }
  .expectations td.minor { display: none; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10.5pt; }
  .masthead button, .contents, .skip, .replay button { display: none !important; }
  article + article { break-before: page; border: 0; margin-top: 0; }
  figure, tr, .trust { break-inside: avoid; }
  h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
  section { padding-top: 24px; }
}
`;

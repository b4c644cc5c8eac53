/**
 * What the page gains where scripts run: a crosshair that reads values off the charts, copy buttons, a theme switch
 * and tables to sort. Nothing is shown that the page does not also show without it; text is only ever set as text.
 */
export const SCRIPT = `"use strict";
(() => {
  const root = document.documentElement;
  const make = (name, className, parent) => {
    const node = document.createElement(name);
    node.className = className;
    parent.append(node);
    return node;
  };

  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  label();
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });

  for (const button of document.querySelectorAll("button.copy")) {
    const source = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        button.textContent = "Selected";
      }
    });
  }

  const clock = (ms) => {
    const total = Math.round(ms / 1000);
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(total / 3600);
    const tail = two(total % 60);
    return hours > 0 ? hours + ":" + two(Math.floor(total / 60) % 60) + ":" + tail : Math.floor(total / 60) + ":" + tail;
  };
  const show = (value, unit) => {
    const text = String(Number(value.toPrecision(4))).replace(/\\B(?=(?:\\d{3})+$)(?<!\\.\\d*)/g, ",");
    return unit === "" || unit === "things" ? text : unit === "/s" ? text + "/s" : text + " " + unit;
  };

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const { fromMs, toMs, unit, layers } = JSON.parse(figure.dataset.chart);
    const canvas = figure.querySelector(".canvas");
    const line = make("i", "cross", canvas);
    const tip = make("div", "tip", canvas);
    line.hidden = tip.hidden = true;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      const at = fromMs + share * (toMs - fromMs);
      tip.replaceChildren();
      make("b", "", tip).textContent = clock(at);
      for (const { name, tone, startMs, stepMs, points } of layers) {
        const value = points[Math.min(points.length - 1, Math.max(0, Math.round((at - startMs) / stepMs)))];
        const row = make("span", "", tip);
        make("i", "swatch t" + tone, row);
        row.append(name + " " + (value === null || value === undefined ? "\\u2013" : show(value, unit)));
      }
      line.hidden = tip.hidden = false;
      line.style.left = share * 100 + "%";
      tip.style.left = share > 0.5 ? "auto" : "calc(" + share * 100 + "% + 10px)";
      tip.style.right = share > 0.5 ? "calc(" + (100 - share * 100) + "% + 10px)" : "auto";
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerdown", move);
    canvas.addEventListener("pointerleave", () => { line.hidden = tip.hidden = true; });
  }

  const UNITS = { "µs": 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10, KiB: 1024, MiB: 1048576, GiB: 1073741824 };
  const keyOf = (cell) => {
    const text = cell.textContent.trim().replace(/,/g, "");
    if (!/^(p50 )?-?\\d/.test(text)) return text;
    return [...text.replace("p50 ", "").matchAll(/(-?[\\d.]+) ?(\\S*)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit] ?? 1), 0);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", "sort", head);
      button.type = "button";
      button.append(head.firstChild);
      button.addEventListener("click", () => {
        const isDown = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row.cells[column]), row]);
        rows.sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1) * (isDown ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }
})();
`;

import { renderHtml, renderRunConsole } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { figure, run, suite } from "./records.js";

const priced = run({
  metrics: [
    figure("access.denied", 232),
    figure("access.denied", 60, "count", { group: "old-stock" }),
    figure("index.matches", 450, "count", { query: "trackers" }),
    figure("cost.usd", 0.02163, "USD"),
    figure("meter.messages", 21_312),
    figure("meter.rule_actions", 0),
  ],
  cost: { totalUsd: 0.02163, region: "us-east-1", asOf: "2026-08-01", unpriced: [] },
});

describe("access and cost in reports", () => {
  it("are a section of the page, with the prices' date; what was never metered is left out", () => {
    const page = renderHtml(suite([priced]));
    expect(page).toContain("Access and cost");
    expect(page).toContain("$0.02163 at AWS&#39;s list prices of us-east-1, looked up on 2026-08-01.");
    const section = page.slice(page.indexOf('id="run-1-access"'), page.indexOf('id="run-1-metrics"'));
    expect(section).toContain("group=old-stock");
    expect(section).toContain("query=trackers");
    expect(section).not.toContain("meter.rule_actions");
  });

  it("are one line on the console where something is enforced, and nothing elsewhere", () => {
    const options = { color: false, width: 120 };
    expect(renderRunConsole(priced, options)).toContain(
      "access: 232 denied; cost: $0.02163 at AWS's list prices of us-east-1, looked up on 2026-08-01.",
    );
    expect(renderRunConsole(run(), options)).not.toContain("access:");
  });
});

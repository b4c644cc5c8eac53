import { createHash } from "node:crypto";
import { renderHtml } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileRun } from "./hostile-records.js";
import { rolloutRun, run, stormRun, suite, sweep } from "./records.js";

/** Elements and attributes that the page may contain; anything else came from data. */
const TAGS =
  /^(?:!doctype|html|head|meta|title|link|style|body|a|header|main|footer|article|section|nav|h[1-4]|p|span|strong|bdi|code|pre|button|ul|li|dl|dt|dd|div|table|caption|thead|tbody|tr|th|td|figure|figcaption|svg|path|rect|circle|i|details|summary|br)$/;

/** The page without its own style sheet and script, which stand at fixed places. */
function withoutScriptAndStyle(page: string): string {
  const script = page.lastIndexOf("<script>");
  return (page.slice(0, script) + page.slice(page.lastIndexOf("</script>") + 9)).replace(
    /<style>[^]*?<\/style>/,
    "",
  );
}

describe("the HTML report", () => {
  it("is one file that loads nothing and names its only script by hash", () => {
    const page = renderHtml(suite([run()]));
    const [, script] = /<script>([^]*?)<\/script>/.exec(page)!;
    const hash = createHash("sha256").update(script!).digest("base64");
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'"`,
    );
    expect(withoutScriptAndStyle(page)).not.toMatch(/\s(?:src|srcset|action|onload|onerror|onclick)=/);
    expect(
      [...page.matchAll(/href="([^"]*)"/g)]
        .map(([, href]) => href)
        .filter((href) => !/^#|^data:,$/.test(href!)),
    ).toEqual([]);
  });

  it("has the sections a run calls for and no empty ones", () => {
    const titles = (page: string): string[] =>
      [...page.matchAll(/<h3[^>]*>([^<]*)<\/h3>/g)].map(([, title]) => title!);
    expect(titles(renderHtml(suite([run()])))).toEqual([
      "Expectations",
      "Traffic",
      "Latency",
      "Delivery",
      "Connections",
      "Replay",
      "Everything measured",
      "Environment",
    ]);
    expect(titles(renderHtml(suite([stormRun()])))).toEqual(
      expect.arrayContaining(["Reconnect storm", "Shadow convergence", "Faults and actions"]),
    );
    expect(titles(renderHtml(suite([rolloutRun()])))).toContain("Rollout");
  });

  it("puts a table under every chart", () => {
    const page = renderHtml(suite([stormRun(), rolloutRun()], [sweep()]));
    for (const caption of [
      "Rates by stage",
      "End-to-end latency by stage",
      "Storms in figures",
      "Updates in figures",
      "Planned and actual",
      "Executions at the end",
      "job.blast_radius.notified over seeds",
    ]) {
      expect(page).toContain(`${caption}</caption>`);
    }
  });

  it("shows a gap where nothing was measured", () => {
    const page = renderHtml(suite([run()]));
    const [, dashed] = /class="line t4 dashed" d="([^"]*)"/.exec(page)!;
    expect(dashed!.match(/M/g)!.length).toBe(8);
  });

  it("holds who is online until the end of the run", () => {
    const online = run().series.find(({ name }) => name === "connections.online")!;
    const page = renderHtml(suite([run({ series: [{ ...online, points: online.points.slice(0, 100) }] })]));
    const [, curve] = /class="line t3" d="([^"]*)"/.exec(page)!;
    expect(Number(/L([\d.]+) [\d.]+$/.exec(curve!)![1])).toBeGreaterThan(990);
  });

  it("links every run from the overview, and keeps large suites bounded", () => {
    const page = renderHtml(suite([run({ seed: 1 }), run({ seed: 2 })]));
    expect(page).toContain('<a href="#run-2">');
    const many = renderHtml(
      suite(Array.from({ length: 60 }, (_, seed) => run({ seed, series: [], metrics: [] }))),
    );
    expect(many.match(/<article/g)).toHaveLength(40);
    expect(many.match(/<tbody>[^]*?<\/tbody>/)![0].match(/<tr>/g)).toHaveLength(60);
  });

  it("gives the same bytes for the same record", () => {
    expect(renderHtml(suite([stormRun()]))).toBe(renderHtml(structuredClone(suite([stormRun()]))));
  });

  it.each(HOSTILE_NAMES)("takes %j as text", (name) => {
    const page = withoutScriptAndStyle(
      renderHtml(
        suite(
          [hostileRun(name)],
          [sweep({ scenario: name, variant: name, failedSeeds: [{ seed: 1, replay: name }] })],
        ),
      ),
    );
    for (const [, tag] of page.matchAll(/<\/?([^\s/>]*)/g)) expect(tag).toMatch(TAGS);
    // oxlint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });
});

import {
  expectationsOf,
  progressLine,
  renderConsole,
  renderGithubAnnotations,
  RENDERER_NAMES,
  RENDERERS,
  renderJson,
  renderMarkdown,
  type RunRecord,
  stageLine,
  sweepProgressLine,
  withoutEnvironment,
} from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileRun, hostileSuite } from "./hostile-records.js";
import {
  brokenRun,
  environment,
  expectation,
  inconclusive,
  missed,
  rolloutRun,
  run,
  stormRun,
  suite,
  sweep,
  untrustedRun,
  warning,
} from "./records.js";

const everything = suite([run(), stormRun(), rolloutRun(), untrustedRun(), brokenRun()], [sweep()]);
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe("expectationsOf", () => {
  it("counts expectations on the machine like those on the system", () => {
    expect(expectationsOf(run()).map(({ expr }) => expr)).toEqual([
      "latency.e2e{stage=steady} p(99) < 250ms",
      "delivery.lost{qos=1} == 0",
      "process.rss max < 1GiB",
    ]);
  });
});

describe("the registry of formats", () => {
  it("renders every format from the same suite, twice the same", () => {
    expect(RENDERER_NAMES).toEqual(["json", "junit", "html", "markdown", "github", "console"]);
    for (const name of RENDERER_NAMES) {
      const { render, extension, description } = RENDERERS[name];
      expect(extension).toMatch(/^\.[a-z]+$/);
      expect(description).not.toBe("");
      expect(render(everything)).toBe(render(structuredClone(everything)));
    }
  });
});

describe("the JSON report", () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, reversed(item)]),
    );
  };

  it("is byte-identical for equal records whatever the order of their members", () => {
    expect(renderJson(reversed(everything) as typeof everything)).toBe(renderJson(everything));
  });

  it("reads back as the same record", () => {
    expect(JSON.parse(renderJson(hostileSuite()))).toEqual(JSON.parse(JSON.stringify(hostileSuite())));
  });

  it("stands the verdict before the runs and curves on one line", () => {
    const text = renderJson(everything);
    expect(text.indexOf('"verdict"')).toBeLessThan(text.indexOf('"runs"'));
    expect(text).toMatch(/"points": \[[-\d., null]+\]\n/);
  });

  it("is equal without the environment for runs on different machines", () => {
    const here = suite([run()]);
    const there = suite([run({ environment: environment({ cpu: "other", wallMs: 1 }) })]);
    expect(renderJson(there)).not.toBe(renderJson(here));
    expect(renderJson(withoutEnvironment(there))).toBe(renderJson(withoutEnvironment(here)));
    expect(renderJson(withoutEnvironment(here))).not.toContain("environment");
  });
});

describe("the Markdown report", () => {
  it("tells verdict, expectations, limits and the replay command", () => {
    const text = renderMarkdown(suite([stormRun()]));
    expect(text).toContain("## ✗ fleetrig: failed");
    expect(text).toContain(
      "| ✗ failed | <code>latency.e2e{stage=steady} p(99) &lt; 250ms</code> | 312 ms | &lt; 250ms | 65 |",
    );
    expect(text).toContain(
      "```sh\nfleetrig run scenarios/library/smart-building.yaml --seed 42 --clock virtual\n```",
    );
  });

  it("folds runs that passed and shows the others first", () => {
    const text = renderMarkdown(suite([run(), stormRun()]));
    expect(text.indexOf("### ✗ disconnect-wave")).toBeLessThan(
      text.indexOf("<details><summary>✓ smart-building"),
    );
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  it("stays below GitHub's limit with a note, and closes what is open", () => {
    const many = Array.from({ length: 1600 }, (_, seed) => run({ seed }));
    const text = renderMarkdown(suite(many));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(text).toContain("longer than GitHub shows");
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    expect((text.match(/^```/gm)?.length ?? 0) % 2).toBe(0);
  });

  it.each(HOSTILE_NAMES)("takes %j as text", (name) => {
    const text = renderMarkdown(suite([hostileRun(name)]));
    const code = text.split(/^(`{3,}).*\n[^]*?^\1$/gm).join("");
    expect(code).not.toMatch(/<(?!\/?(?:code|details|summary|br)>)/);
    expect(code).not.toMatch(/(?:^|[^\w#])@everyone|https:\/\//);
    expect(text).not.toMatch(CONTROLS);
    const widths = new Set(
      code
        .split("\n")
        .filter((line) => line.startsWith("| ") && line.includes("45"))
        .map((line) => line.replace(/\\\|/g, "").split("|").length),
    );
    expect(widths.size).toBeLessThanOrEqual(1);
  });
});

describe("GitHub annotations", () => {
  it("stand on the line of the expectation", () => {
    expect(renderGithubAnnotations(suite([stormRun()]))).toBe(
      [
        "::error file=scenarios/library/smart-building.yaml,line=65,col=5,title=disconnect-wave seed 42%3A latency.e2e{stage=steady} p(99) < 250ms::latency.e2e{stage=steady} p(99) = 312 ms, expected < 250ms",
        "::warning file=scenarios/library/smart-building.yaml,line=66,col=5,title=disconnect-wave seed 42%3A few duplicates::delivery.duplicates = 12, expected < 10",
        "",
      ].join("\n"),
    );
  });

  it("say nothing when everything passed", () => {
    expect(renderGithubAnnotations(suite([run()]))).toBe("");
  });

  it("are at most ten of a kind, and a notice counts the rest", () => {
    const lines = renderGithubAnnotations(
      suite([run({ expectations: Array.from({ length: 25 }, () => [missed, warning]).flat() })]),
    )
      .trimEnd()
      .split("\n");
    expect(lines.filter((line) => line.startsWith("::error "))).toHaveLength(10);
    expect(lines.filter((line) => line.startsWith("::warning "))).toHaveLength(10);
    expect(lines.at(-1)).toMatch(/^::notice title=fleetrig::30 more annotations/);
  });

  it("make an inconclusive expectation an error", () => {
    expect(renderGithubAnnotations(suite([run({ expectations: [inconclusive] })]))).toMatch(
      /^::error .*is inconclusive::/,
    );
  });

  it("cannot be forged by names", () => {
    for (const line of renderGithubAnnotations(hostileSuite()).trimEnd().split("\n")) {
      expect(line).toMatch(
        /^::(?:error|warning|notice) (?:file=[^,:]*,line=\d+(?:,col=\d+)?,)?title=[^,:]*::/,
      );
      expect(line).not.toMatch(CONTROLS);
    }
  });
});

describe("the console report", () => {
  const lines = (runs: readonly RunRecord[], width = 100): string[] =>
    renderConsole(suite(runs), { color: false, width }).trimEnd().split("\n");

  it("shows got and limit in columns, and one summary line", () => {
    expect(lines([stormRun()])).toEqual([
      "✗ disconnect-wave seed 42",
      "  5,000 devices, 5m 30s of virtual time in 5.07 s",
      "  ramp 1m → steady 4m → drain 30 s (timed out)",
      "    expectation                            got  limit",
      "  ✓ latency.e2e{stage=steady} p(99)   179.8 ms  < 250ms",
      "  ✗ latency.e2e{stage=steady} p(99)     312 ms  < 250ms",
      "      at scenarios/library/smart-building.yaml:65",
      "  ! few duplicates                          12  < 10",
      "      delivery.duplicates < 10",
      "      at scenarios/library/smart-building.yaml:66",
      "  ✓ process.rss max                  194.2 MiB  < 1GiB",
      "  replay: fleetrig run scenarios/library/smart-building.yaml --seed 42 --clock virtual",
      "",
      "✗ failed  1 run: 1 failed, 1 warning, 2 passed",
    ]);
  });

  it("tells no replay command when everything passed", () => {
    expect(lines([run()]).join("\n")).not.toContain("replay");
  });

  it("tells warnings of trust, skipped groups and why a run broke off", () => {
    const text = lines([untrustedRun(), brokenRun()], 200).join("\n");
    expect(text).toContain("! The generator was late");
    expect(text).toContain("⊘ group esp32 skipped: no board with role dut");
    expect(text).toContain("The broker at 127.0.0.1:1883 refused the connection. [BROKER_UNREACHABLE]");
  });

  it("keeps its columns with wide characters and cuts long names", () => {
    const wide = expectation({ name: "温度".repeat(60) });
    const [, , , , first, second] = lines([run({ expectations: [wide, expectation()] })], 80);
    expect(first).toContain("…");
    expect(second!.indexOf("179.8")).toBeGreaterThan(0);
  });

  it("lets no terminal sequence of the data through", () => {
    const text = renderConsole(hostileSuite(), { color: true, width: 100 });
    // oxlint-disable-next-line no-control-regex
    expect(text.replace(/\u001b\[\d+m/g, "")).not.toMatch(CONTROLS);
    expect(text).not.toContain("evil.example\u0007");
    for (const line of text.split("\n")) expect(line).not.toMatch(/^::/);
  });

  it("uses colour only when asked", () => {
    expect(renderConsole(everything, { color: false, width: 100 })).not.toContain("\u001b");
    expect(renderConsole(everything, { color: true, width: 100 })).toContain("\u001b[31m");
  });
});

describe("progress lines", () => {
  const options = { color: false, width: 100 };

  it("show how far a run is", () => {
    const progress = {
      title: "smart-building seed 42",
      stage: "steady",
      atMs: 60_000,
      endMs: 120_000,
      online: 4998,
      devices: 5000,
    };
    expect(progressLine(progress, options)).toBe(
      "━━━━━━━━━━┄┄┄┄┄┄┄┄┄┄ smart-building seed 42 · steady · 1m of 2m · 4,998/5,000 online",
    );
    expect(progressLine({ ...progress, endMs: null }, options)).toMatch(/^┄{20} .*steady · 1m ·/);
  });

  it("show a stage that ended, and a sweep", () => {
    expect(
      stageLine({ name: "steady", durationMs: 240_000, timedOut: false, detail: "40,000 messages" }, options),
    ).toBe("  ✓ steady                      4m  40,000 messages");
    expect(stageLine({ name: "settle", durationMs: 1000, timedOut: true, detail: "" }, options)).toContain(
      "! settle",
    );
    expect(sweepProgressLine({ title: "ota", done: 25, total: 100, failed: 2 }, options)).toContain(
      "25 of 100 seeds · 2 failed",
    );
  });
});

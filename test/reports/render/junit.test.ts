import { renderJunit } from "fleetrig/reports";
import { describe, expect, it } from "vitest";
import { HOSTILE_NAMES, hostileSuite } from "./hostile-records.js";
import { brokenRun, expectation, run, stormRun, suite, sweep, untrustedRun } from "./records.js";

const startTag = (xml: string, pattern: RegExp): string => pattern.exec(xml)?.[0] ?? "";

describe("the JUnit report", () => {
  it("has a suite per run and a case per expectation, with file and line", () => {
    const xml = renderJunit(suite([run()]));
    expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /);
    expect(startTag(xml, /<testsuite [^>]*>/)).toBe(
      '<testsuite name="smart-building seed 42" tests="3" failures="0" errors="0" skipped="0" time="5.067" timestamp="2026-11-21T01:07:11">',
    );
    expect(xml).toContain(
      '<testcase name="nothing is lost" classname="smart-building.run" file="scenarios/library/smart-building.yaml" line="62" time="1.689"/>',
    );
    expect(xml).toContain('classname="smart-building.steady"');
  });

  it("says in the failure what was measured and what was expected", () => {
    expect(renderJunit(suite([stormRun()]))).toContain(
      '<failure message="latency.e2e{stage=steady} p(99) = 312 ms, expected &lt; 250ms" type="expectation">',
    );
  });

  it("tells missed warnings without failing them", () => {
    const xml = renderJunit(suite([stormRun()]));
    expect(startTag(xml, /<testsuites [^>]*>/)).toContain('tests="4" failures="1" errors="0" skipped="0"');
    expect(xml).toContain("Warning: few duplicates: delivery.duplicates = 12, expected &lt; 10");
  });

  it("makes inconclusive expectations errors and absent groups skipped", () => {
    const xml = renderJunit(suite([untrustedRun()]));
    expect(startTag(xml, /<testsuites [^>]*>/)).toContain('tests="3" failures="0" errors="1" skipped="1"');
    expect(xml).toContain('<error message="The generator was late');
    expect(xml).toContain('<skipped message="no board with role dut on /dev/ttyUSB0"/>');
  });

  it("carries seed, clock, hashes, fingerprint and virtual seconds as properties, and the replay command", () => {
    const xml = renderJunit(suite([run()]));
    for (const [name, value] of [
      ["seed", "42"],
      ["clock", "virtual"],
      ["git.sha", "6fb4a7b6fb4a7b6fb4a7b6fb4a7b6fb4a7b6fb4a"],
      ["scenario.sha256", "9f2d3c".repeat(10)],
      ["fingerprint", "510aa0c4d7ba122039ebc364bd85f8a0e1a25d947c862fd119fb2729529df02b"],
      ["virtual.seconds", "330.000"],
    ]) {
      expect(xml).toContain(`<property name="${name}" value="${value}"/>`);
    }
    expect(xml).toContain(
      "<system-out>Replay: fleetrig run scenarios/library/smart-building.yaml --seed 42 --clock virtual</system-out>",
    );
  });

  it("makes a run that broke off an error of its own", () => {
    const xml = renderJunit(suite([brokenRun()]));
    expect(startTag(xml, /<testsuite [^>]*>/)).toContain('tests="1" failures="0" errors="1"');
    expect(xml).toContain('type="BROKER_UNREACHABLE"');
  });

  it("keeps cases of several seeds apart by name", () => {
    const xml = renderJunit(suite([run({ seed: 1 }), run({ seed: 2 })]));
    expect(xml).toContain('name="nothing is lost (seed 1)"');
    expect(xml).toContain('name="nothing is lost (seed 2)"');
    expect(renderJunit(suite([run({ seed: 1 })]))).not.toContain("(seed 1)");
  });

  it("has a suite per sweep", () => {
    const xml = renderJunit(suite([], [sweep()]));
    expect(xml).toContain('<testsuite name="ota-rollout over 60 seeds" tests="1" failures="1"');
    expect(xml).toContain("Replay seed 9: fleetrig run");
  });

  it("adds up: the times of the cases are the wall time of the run", () => {
    const xml = renderJunit(suite([run({ expectations: Array.from({ length: 9 }, () => expectation()) })]));
    const times = [...xml.matchAll(/<testcase [^>]*time="([\d.]+)"/g)].map(([, time]) => Number(time));
    expect(times.reduce((sum, time) => sum + time, 0)).toBeCloseTo(5.067, 1);
  });

  it("holds no character that XML 1.0 forbids and no markup from names", () => {
    const xml = renderJunit(hostileSuite());
    // oxlint-disable-next-line no-control-regex
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u);
    const tags = new Set([...xml.matchAll(/<\/?([^\s/>?]+)/g)].map(([, tag]) => tag));
    expect(tags).toEqual(
      new Set([
        "error",
        "failure",
        "properties",
        "property",
        "skipped",
        "system-out",
        "testcase",
        "testsuite",
        "testsuites",
      ]),
    );
    expect(HOSTILE_NAMES.length).toBeGreaterThan(10);
  });
});

import * as fc from "fast-check";
import { METRICS, parseExpectation, parseUntil } from "fleetrig/reports";
import { describe, expect, it } from "vitest";

const parsed = (text: string, scope: "run" | "sweep" = "run") => {
  const result = parseExpectation(text, { scope });
  if (!result.ok) expect.fail(`${text}: ${result.message} ${result.hint} at ${result.offset}`);
  return result.expectation;
};

const refused = (text: string, scope: "run" | "sweep" = "run") => {
  const result = parseExpectation(text, { scope });
  if (result.ok) expect.fail(`${text} was accepted`);
  return {
    at: text.slice(result.offset, result.offset + result.length),
    message: result.message,
    hint: result.hint,
  };
};

const EXAMPLES = [
  "connections.lost{action=wave-1} == 2000",
  "reconnect.peak_rate{window=1s} < 150/s",
  "reconnect.peak_to_mean < 4",
  "reconnect.amplification < 8",
  "reconnect.refused_ratio < 1%",
  "reconnect.time{action=wave-1} p(95) < 60s",
  "reconnect.time{action=wave-1} max < 90s",
  "reconnect.backoff_grade == jittered",
  "sessions.resumed_ratio == 100%",
  "shadow.convergence_time{update=setpoint-21,online=true} p(99) < 3s",
  "shadow.convergence_time{update=setpoint-21,since=reconnect} p(99) < 5s",
  "shadow.convergence_time{update=setpoint-21} max < 120s",
  "shadow.diverged == 0",
  "delivery.lost{qos=1} == 0",
  "wills.published{action=wave-1} == 2000",
  "broker.connect_queue max < 2000",
  "reconnect.backoff_grade{group=boards} == jittered",
  "bridge.clock_uncertainty max < 5ms",
  "latency.e2e{group=boards} p(99) < 500ms",
  "job.status{job=fw-2.4.0} == CANCELED",
  "job.abort.triggered{criterion=0} == true",
  "job.abort.time < 5m",
  "job.abort.detection_time < 3m",
  "job.blast_radius.notified < 6%",
  "job.blast_radius.failed < 2%",
  "job.blast_radius.silent == 0",
  "job.notified_after_abort == 0",
  "job.executed >= 10",
  "job.cancelled_in_progress == 0",
  "fleet.firmware{version=2.3.1} >= 94%",
  "telemetry.published{stage=steady} == 150000",
  "delivery.duplicate_ratio{qos=1} < 0.1%",
  "latency.e2e{stage=steady} p(50) < 60ms",
  "latency.e2e{stage=steady} p(99.9) < 1s",
  "rules.recall{rule=high-temp} == 1",
  "rules.precision{rule=high-temp} == 1",
  "rules.latency{rule=high-temp} p(99) < 300ms",
  "connections.dropped{stage=steady} == 0",
  "generator.schedule_lag p(99) < 50ms",
  "process.rss max < 1GiB",
];

describe("parseExpectation", () => {
  it.each(EXAMPLES)("accepts %s", (text) => {
    expect(parsed(text).text).toBe(text);
  });

  it("reads every part, with blanks anywhere", () => {
    expect(parsed(' latency.e2e { stage = "steady" , qos=1 } p( 99.9 )  <=  1.5s ')).toEqual({
      text: ' latency.e2e { stage = "steady" , qos=1 } p( 99.9 )  <=  1.5s ',
      metric: "latency.e2e",
      labels: { stage: "steady", qos: "1" },
      aggregation: { name: "p", percentile: 99.9 },
      operator: "<=",
      limit: { type: "number", value: 1_500_000, unit: "us", text: "1.5s" },
    });
  });

  it.each([
    ["latency.e2e p(99) < 250ms", 250_000, "us"],
    ["latency.e2e count >= 1000", 1000, "count"],
    ["latency.e2e rate >= 100/s", 100, "per-second"],
    ["delivery.sent rate > 6000/m", 100, "per-second"],
    ["job.rate max <= 60/m", 60, "per-minute"],
    ["delivery.ratio == 100%", 1, "ratio"],
    ["delivery.ratio >= 0.999", 0.999, "ratio"],
    ["connections.online == 100%", 1, "ratio"],
    ["connections.online >= 5000", 5000, "count"],
    ["connections.online ratio >= 99%", 0.99, "ratio"],
    ["process.rss max < 1GiB", 2 ** 30, "bytes"],
    ["shadow.divergence_area < 120", 120, "thing-seconds"],
    ["job.abort.lag == 0", 0, "us"],
  ])("reads the limit of %s as %d %s", (text, value, unit) => {
    expect(parsed(text).limit).toMatchObject({ type: "number", value, unit });
  });

  it.each([
    ["", "", /starts with the name/, /For example/],
    ["latency.e2ee p(99) < 1s", "latency.e2ee", /no metric "latency.e2ee"/, /"latency.e2e"/],
    ["session.resumed_ratio == 1", "session.resumed_ratio", /no metric/, /"sessions.resumed_ratio"/],
    ["latency.e2e{stag=a} p(99) < 1s", "stag", /no label "stag"/, /"stage"/],
    ["process.rss{group=a} max < 1GiB", "group", /no label "group"/, /no labels/],
    ["latency.e2e{qos=3} p(99) < 1s", "3", /no value for the label "qos"/, /qos=1/],
    ["latency.e2e{stage=a,stage=b} p(9) < 1s", "stage", /twice/, /one/],
    ["latency.e2e{stage} p(99) < 1s", "}", /has no value/, /stage=steady/],
    ["latency.e2e{stage=a p(99) < 1s", "p", /not closed/, /Close/],
    ["latency.e2e < 1s", "<", /is a distribution/, /p\(99\)/],
    ["latency.e2e p99 < 1s", "9", /needs a percentile/, /p\(99.9\)/],
    ["latency.e2e p(0) < 1s", "(0)", /needs a percentile/, /p\(99.9\)/],
    ["latency.e2e p(100.1) < 1s", "(100.1)", /needs a percentile/, /p\(99.9\)/],
    ["latency.e2e mean < 1s", "mean", /no aggregation "mean"/, /Did you mean/],
    ["delivery.lost p(99) < 1", "p", /does not apply/, /value, count, rate/],
    ["job.blast_radius.notified p(95) < 6%", "p", /does not apply/, /value/],
    ["latency.e2e p(99) < 250", "250", /does not fit/, /250ms/],
    ["latency.e2e p(99) < 12%", "12%", /does not fit/, /duration/],
    ["delivery.lost == 1s", "1s", /does not fit/, /plain number/],
    ["reconnect.peak_rate < 150", "150", /does not fit/, /150\/s/],
    ["connections.online > many", "many", /does not fit/, /percentage or a number of things/],
    ["reconnect.backoff_grade == jitterd", "jitterd", /does not fit/, /"jittered".*constant/],
    ["reconnect.backoff_grade < jittered", "<", /no order/, /==/],
    ["job.terminal > false", ">", /no order/, /==/],
    ["job.terminal == yes", "yes", /does not fit/, /true or false/],
    ["delivery.lost", "", /comparison was expected/, /<=/],
    ["delivery.lost = 0", "=", /comparison was expected/, /==/],
    ["delivery.lost ==", "", /limit is missing/, /after ==/],
    ["delivery.lost == 0 or so", "or so", /should end here/, /one expectation/],
  ])("refuses %j and points at %j", (text, at, message, hint) => {
    const refusal = refused(text);
    expect(refusal.at).toBe(at);
    expect(refusal.message).toMatch(message);
    expect(refusal.hint).toMatch(hint);
  });

  it("aggregates over the runs of a sweep", () => {
    expect(parsed("job.abort.triggered ratio == 100%", "sweep").limit).toMatchObject({
      value: 1,
      unit: "ratio",
    });
    expect(parsed("job.blast_radius.notified p(95) < 6%", "sweep").limit).toMatchObject({ value: 0.06 });
    expect(refused("job.abort.triggered == true", "sweep").message).toMatch(
      /value of job.abort.triggered per run/,
    );
    expect(refused("job.status == CANCELED", "sweep").hint).toMatch(/cannot be aggregated/);
  });

  it("refuses a text of more than 1,000 characters before reading it", () => {
    expect(refused(`delivery.lost == ${"0".repeat(1000)}`).message).toMatch(/longer than/);
  });

  it("never throws and always points into the text", () => {
    const token = fc.constantFrom(
      ...METRICS.map((m) => m.name),
      "{",
      "}",
      "stage=",
      "a",
      ",",
      "p(9",
      ")",
      "max",
      "<",
      "==",
      " ",
      "1s",
      "%",
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token, { maxLength: 12 }).map((t) => t.join("")),
        ),
        (text) => {
          const result = parseExpectation(text);
          if (result.ok) return;
          expect(result.offset).toBeGreaterThanOrEqual(0);
          expect(result.offset).toBeLessThanOrEqual(text.length);
          expect(result.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("parseUntil", () => {
  it.each(["connections.online{group=hvac} == 100%", "shadow.converged{update=u} == 100%"])(
    "accepts %s",
    (text) => {
      expect(parseUntil(text).ok).toBe(true);
    },
  );

  it("reads a fact without a comparison as `== true`", () => {
    const result = parseUntil("job.terminal{job=fw-2.4.0}");
    expect(result).toMatchObject({
      ok: true,
      expectation: { labels: { job: "fw-2.4.0" }, operator: "==", limit: { type: "boolean", value: true } },
    });
  });
});

describe("METRICS", () => {
  it("names every metric once, with a section and a definition of one line", () => {
    expect(new Set(METRICS.map((metric) => metric.name)).size).toBe(METRICS.length);
    for (const metric of METRICS) {
      expect(metric.section, metric.name).toBeTypeOf("string");
      expect(metric.definition).not.toMatch(/\n|\.$/);
    }
  });
});

import type { ExpectationRecord, RunRecord, SuiteRecord } from "fleetrig/reports";
import {
  environment,
  expectation,
  figure,
  histogram,
  rolloutRun,
  run,
  stormRun,
  suite,
  sweep,
} from "./records.js";

/** What devices and scenarios may be called by somebody who means harm. */
export const HOSTILE_NAMES: readonly string[] = [
  "<img src=x onerror=alert(1)>",
  '"><script>alert(1)</script>',
  "'><svg/onload=alert(1)>",
  "</title></style></script><script>alert(1)</script>",
  "javascript:alert(1)",
  "a|b`c`d\\e*f*_g_",
  "```\n::error::forged\n```",
  "\u001b[31mred\u001b[0m\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007",
  "nul\u0000bell\u0007del\u007f\u0085c1",
  "\u202egnp.exe\u202c \u2066isolated\u2069",
  "שלום עולם",
  "lone\ud800surrogate",
  "]]>&#0;&lt;\ufffe",
  "%0A::set-output name=x::y, title=a:b",
  "https://evil.example/?q=1 www.evil.example @everyone #1",
  "長い名前".repeat(40),
];

/** Hostile names in every place that takes text. */
export const hostileRun = (name: string): RunRecord => {
  const storm = stormRun();
  const rollout = rolloutRun();
  const bad = (over: Partial<ExpectationRecord>): ExpectationRecord =>
    expectation({
      name,
      expr: `${name} p(99) < 1s`,
      measured: name,
      limit: name,
      reason: name,
      stage: name,
      file: name,
      ...over,
    });
  return run({
    scenario: { name, description: name, file: name, sha256: name, tags: [name] },
    variant: name,
    verdict: "failed",
    failure: { code: name, message: name, hint: name },
    fingerprint: name,
    replay: name,
    stages: [{ ...storm.stages[1]!, name }],
    expectations: [
      bad({ verdict: "fail" }),
      bad({ verdict: "inconclusive" }),
      bad({ verdict: "fail", severity: "warn" }),
    ],
    trust: {
      ...storm.trust,
      trusted: false,
      warnings: [name],
      skippedGroups: [{ group: name, reason: name }],
      withoutData: [name],
    },
    metrics: [histogram("latency.e2e", { stage: name }, 40), figure(name, name, name, { [name]: name })],
    storms: storm.storms.map((each) => ({ ...each, action: name, group: name, policy: name, grade: name })),
    convergence: storm.convergence.map((each) => ({ ...each, update: name })),
    rollouts: rollout.rollouts.map((each) => ({
      ...each,
      jobId: name,
      status: name,
      abort: { ...each.abort!, text: name },
    })),
    faults: [{ atMs: 0, fault: name, detail: name, count: 9, things: [name, name, name, name] }],
    environment: environment({
      expectations: [bad({})],
      startedAt: name,
      node: name,
      platform: name,
      cpu: name,
      gitSha: name,
    }),
  });
};

export const hostileSuite = (): SuiteRecord =>
  suite(
    HOSTILE_NAMES.map(hostileRun),
    HOSTILE_NAMES.slice(0, 3).map((name) =>
      sweep({
        scenario: name,
        file: name,
        variant: name,
        values: [{ metric: name, unit: name, values: [1, 2] }],
        failedSeeds: [{ seed: 1, replay: name }],
      }),
    ),
  );

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findings, loadFrom, loadValid, SMALL } from "./memory-files.js";

const BASE = `version: 1
name: base
tags: [one, two]
vars: { length: 1m }
network: { wifi: { latency: 5ms, loss: 1% } }
fleet:
  - { group: a, model: "builtin:shadow-device", count: 20, thingName: "a-{index}", network: wifi }
  - { group: b, model: "builtin:shadow-device", count: 5, thingName: "b-{index}" }
stages:
  - { name: steady, duration: "\${vars.length}" }
  - { name: drain, duration: 5s }
`;

describe("extends", () => {
  const load = (own: string, more: Readonly<Record<string, string>> = {}) =>
    loadFrom({ "s/own.yaml": own, "s/base.yaml": BASE, ...more });

  it("merges blocks by key, lists by group and name, and replaces other lists", () => {
    const result = load(`extends: ./base.yaml
name: own
tags: [three]
vars: { length: 2m }
network: { wifi: { loss: 2% }, lan: {} }
fleet: [{ group: b, count: 7 }, { group: c, model: "builtin:shadow-device", count: 1 }]
stages: [{ name: drain, duration: 9s }]
`);
    expect(result).toMatchObject({
      ok: true,
      scenario: {
        name: "own",
        tags: ["three"],
        network: { wifi: { loss: 0.02, latency: { value: 5000 } }, lan: { loss: 0 } },
        fleet: [{ group: "a" }, { group: "b", count: 7, thingName: "b-{index}" }, { group: "c" }],
        stages: [{ durationUs: 120e6 }, { durationUs: 9e6 }],
      },
    });
    expect(result.sources.map(({ path }) => path)).toEqual(["s/own.yaml", "s/base.yaml"]);
  });

  it("reports a mistake in the file that has it", () => {
    const result = load("extends: base.yaml\nfleet: [{ group: a, network: wfii }]\n", {
      "s/base.yaml": `${BASE}seeed: 1\n`,
    });
    expect(result.ok ? [] : result.diagnostics.map(({ file, line }) => `${file}:${line}`)).toEqual([
      "s/base.yaml:12",
    ]);
    const own = load("extends: base.yaml\nfleet: [{ group: a, network: wfii }]\n");
    expect(own.ok ? [] : own.diagnostics.map(({ file, line }) => `${file}:${line}`)).toEqual([
      "s/own.yaml:2",
    ]);
  });

  it("follows a chain of files, but no circle and no endless chain", () => {
    expect(
      load("extends: ./mid.yaml\nname: own\n", { "s/mid.yaml": "extends: ./base.yaml\nseed: 5\n" }),
    ).toMatchObject({
      ok: true,
      scenario: { name: "own", seed: 5 },
    });
    const circle = load("extends: ./mid.yaml\n", { "s/mid.yaml": "extends: ./own.yaml\n" });
    expect(findings(circle)).toEqual(["SCENARIO_EXTENDS_CYCLE 1:10"]);
    const chain = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`s/f${index}.yaml`, `extends: ./f${index + 1}.yaml\n`]),
    );
    expect(findings(load("extends: ./f0.yaml\n", chain))).toEqual(["SCENARIO_EXTENDS_CHAIN 1:10"]);
  });

  it.each([
    "../base.yaml",
    "../s/../../x.yaml",
    "/etc/passwd",
    "file:///etc/passwd",
    "\\\\host\\x.yaml",
    "./../../a/b",
  ])("does not leave the project for %s", (target) => {
    expect(findings(load(`extends: '${target}'\n`))).toEqual(["SCENARIO_EXTENDS_OUTSIDE 1:10"]);
  });

  it("does not leave the project through a link", () => {
    const result = loadFrom(
      { "own.yaml": "extends: ./link.yaml\n", "link.yaml": BASE },
      {
        realPath: (path) =>
          path === "link.yaml" ? "/etc/secret.yaml" : path === "." ? "/project" : `/project/${path}`,
      },
    );
    expect(findings(result)).toEqual(["SCENARIO_EXTENDS_OUTSIDE 1:10"]);
  });

  it("may use the whole project when it is told what that is", () => {
    const files = { "s/own.yaml": "extends: ../base.yaml\nname: own\n", "base.yaml": BASE };
    expect(loadFrom(files, { project: "." }).ok).toBe(true);
    expect(loadFrom(files).ok).toBe(false);
    expect(
      loadFrom({ "/p/s/own.yaml": files["s/own.yaml"], "/p/base.yaml": BASE }, { project: "/p/" }).ok,
    ).toBe(true);
  });

  it.each(["[a, b]", "4", "{ a: 1 }"])("names one file, not %s", (value) => {
    expect(findings(load(`extends: ${value}\n`))).toEqual(["SCENARIO_WRONG_TYPE 1:10"]);
  });

  it("wants a block of keys in the other file", () => {
    expect(findings(load("extends: ./base.yaml\n", { "s/base.yaml": "- 1\n" }))).toEqual([
      "SCENARIO_WRONG_TYPE 1:1",
    ]);
  });
});

describe("variables", () => {
  it("take the value with its type when they are the whole text, and are written out inside text", () => {
    const { scenario } =
      loadValid(`vars: { n: 3, site: hq, long: 2m, group: { model: "builtin:shadow-device" }, deep: { list: [5ms] } }
version: 1
name: v
network: { x: { latency: { dist: empirical, samples: "\${vars.deep.list}" } } }
fleet:
  - { group: a, model: "\${vars.group.model}", count: "\${vars.n}", thingName: "\${vars.site}-{index}-\${vars.n}" }
stages: [{ name: s, duration: "\${vars.long}" }]
`);
    expect(scenario.network["x"]?.latency).toEqual({ dist: "empirical", samples: [5000] });
    expect(scenario.fleet[0]).toMatchObject({
      count: 3,
      thingName: "hq-{index}-3",
      model: "builtin:shadow-device",
    });
    expect(scenario.stages[0]?.durationUs).toBe(120e6);
  });

  it("come from the environment when the scenario lists them or they are ours", () => {
    const text = SMALL.replace("count: 20", 'count: "${env.FLEETRIG_COUNT}"').replace(
      "a-{index}",
      "${env.SITE}-{index}",
    );
    const env = { FLEETRIG_COUNT: "12", SITE: "hq" };
    expect(loadValid(`${text}env: [SITE]\n`, { env }).scenario.fleet[0]).toMatchObject({
      count: 12,
      thingName: "hq-{index}",
    });
    expect(findings(loadFrom({ "a.yaml": text }, { env }))).toEqual(["SCENARIO_ENV_NOT_LISTED 4:92"]);
  });

  it("do not reach into the prototype of the environment", () => {
    const text = SMALL.replace("name: small", 'name: "${env.toString}"');
    expect(findings(loadFrom({ "a.yaml": `${text}env: [toString]\n` }))).toEqual([
      "SCENARIO_ENV_MISSING 2:7",
    ]);
  });

  it("cannot use each other, so there is no order and no circle", () => {
    expect(findings(loadFrom({ "a.yaml": `${SMALL}vars: { a: "\${vars.b}", b: 1 }\n` }))).toEqual([
      "SCENARIO_UNKNOWN_VARIABLE 7:12",
    ]);
  });

  it("leave AWS's own notation alone, in rules and in job documents", () => {
    const rules = `services: { rules: true, jobs: true }
rules:
  - { name: r, sql: "SELECT * FROM 'a'", actions: [{ republish: { topic: "x/\${topic(2)}/\${vars.none}" } }] }
`;
    const job = SMALL.replace(
      "duration: 1m",
      'duration: 1m, actions: [{ at: 0s, createJob: { jobId: j, targets: {}, document: { url: "${aws:iot:s3-presigned-url:https://s3.x}", t: "v ${aws:iot:parameter:p}" } } }]',
    );
    const { scenario } = loadValid(job + rules);
    expect(scenario.rules[0]?.actions).toEqual([{ republish: { topic: "x/${topic(2)}/${vars.none}" } }]);
    expect(scenario.stages[0]?.actions[0]).toMatchObject({
      request: {
        document: { url: "${aws:iot:s3-presigned-url:https://s3.x}", t: "v ${aws:iot:parameter:p}" },
      },
    });
  });

  it("cannot put a block into the middle of a text", () => {
    expect(
      findings(loadFrom({ "a.yaml": `${SMALL}vars: { b: { c: 1 } }\ndescription: "x \${vars.b}"\n` })),
    ).toEqual(["SCENARIO_VARIABLE_NOT_TEXT 8:14"]);
  });

  it("cannot make a small file huge", () => {
    const text = `${SMALL}vars: { x: ${"y".repeat(30_000)}, l: [${"1,".repeat(2000)}1] }\n`;
    const longText = `${text}description: "${"${vars.x}".repeat(100)}"\n`;
    expect(findings(loadFrom({ "a.yaml": longText }))).toEqual(["SCENARIO_TOO_LARGE 8:14"]);
    const manyValues = `${text}tags: [${'"${vars.l}",'.repeat(60)}]\n`;
    expect(findings(loadFrom({ "a.yaml": manyValues }))[0]).toMatch(/^SCENARIO_TOO_MANY_VALUES 8:/);
  });

  it("never fail in another way than with a diagnostic, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const result = loadFrom({
          "a.yaml": `${SMALL}vars: { a: 1 }\ndescription: ${JSON.stringify(`x ${text} \${vars.${text}}`)}\n`,
        });
        expect(result.ok || result.diagnostics.length > 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

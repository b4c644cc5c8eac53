import { z } from "zod";
import { anyJson, block, choice, freeObject, integer, list, name, named, text, flag } from "./block.js";
import { brokerBlock, networkBlock, servicesBlock } from "./broker.js";
import {
  authorizer,
  cloudBlock,
  indexBlock,
  policy,
  provisioningTemplate,
  thingGroup,
  thingType,
} from "./cloud.js";
import { REPORT_FORMATS } from "../report-formats.js";
import { expectation } from "./expectations.js";
import { benchBlock, bridge } from "./bench.js";
import { fleetGroup } from "./fleet.js";
import { message, nameValue } from "./message.js";
import { stage } from "./stages.js";

/** Version of the format. */
export const SCENARIO_VERSION = 1;

// AWS field names, verbatim: a rule of a real account can be pasted in.
const rule = block({
  name: name("Name of the rule."),
  sql: text("SELECT ... FROM 'topic/filter' WHERE ...", 65_536),
  description: text("Description.", 256).optional(),
  awsIotSqlVersion: choice(["2015-10-08", "2016-03-23", "beta"], "Version of the SQL.").optional(),
  ruleDisabled: flag("Keeps the rule from running.").optional(),
  actions: list(freeObject("One action: its AWS name and parameters."), "Up to ten actions.")
    .min(1, "A rule needs at least one action.")
    .max(10, "AWS takes at most ten actions per rule."),
  errorAction: freeObject("Runs once when an action fails.").optional(),
});

const seeds = z
  .union(
    [
      z.string().regex(/^\d{1,15}\.\.\d{1,15}$/, {
        error: (issue) =>
          message(`${nameValue(issue.input)} is not a range of seeds.`, "Write it like 1..200."),
      }),
      z.array(z.int().min(0)).min(1, "The list is empty."),
    ],
    {
      error: (issue) =>
        message(
          `Expected a range or a list of seeds, but found ${nameValue(issue.input)}.`,
          "Write 1..200, or [1, 2, 3].",
        ),
    },
  )
  .meta({ description: "Seeds, as 1..200 or as a list." });

const override = z
  .record(z.string(), anyJson("New value."))
  .meta({ description: "Values by path, such as stages.rollout.actions.0.inject.probability." });

const sweep = block(
  {
    seeds,
    expect: list(expectation, "Checked over all seeds.").optional(),
    control: block(
      {
        override,
        expect: list(expectation, "Checked over all seeds of the control run.").optional(),
      },
      "The same seeds with a difference: what a healthy system must not do.",
    ).optional(),
    variants: list(
      block({
        name: name("Name of the variant in reports."),
        override,
        expect: list(expectation, "Checked over all seeds of the variant.").optional(),
      }),
      "The same seeds under other policies, to compare.",
    )
      .max(16, "A sweep compares at most 16 variants.")
      .optional(),
  },
  "Many seeds: what the policy does on average, not once.",
);

const tolerance = z.string().regex(/^\d{1,6}(?:\.\d{1,6})?%$/, {
  error: (issue) =>
    message(`${nameValue(issue.input)} is not a tolerance.`, "Write a percentage, such as 15%."),
});

const report = block(
  {
    formats: list(choice(REPORT_FORMATS, "Format of a report."), "Files that --report-dir writes.")
      .min(1, "Name at least one format, or leave it out for the usual four.")
      .optional(),
    baseline: block(
      {
        file: text("A report.json of an earlier run, relative to the scenario.", 1024),
        tolerance: named(tolerance, "Relative tolerance by metric or family, in real time.").optional(),
      },
      "Figures must be those of an earlier run.",
    ).optional(),
  },
  "What to report.",
);

/** A scenario as its author writes it. Types, the JSON Schema for editors and the messages come from here. */
export const scenarioDocument = block({
  version: z
    .literal(SCENARIO_VERSION, {
      error: (issue) =>
        message(
          issue.input === undefined
            ? "The version of the format is missing."
            : `This fleetrig reads version ${SCENARIO_VERSION} of the format, not ${nameValue(issue.input)}.`,
          `Write version: ${SCENARIO_VERSION}.`,
        ),
    })
    .meta({ description: "Version of the format: 1." }),
  name: z
    .string({ error: (issue) => `Expected a name, but found ${nameValue(issue.input)}.` })
    .regex(/^[a-z0-9][a-z0-9-]{0,99}$/, {
      error: (issue) =>
        message(
          `${nameValue(issue.input)} is not a scenario name.`,
          "Use lower-case letters, digits and dashes, such as site-a-outage.",
        ),
    })
    .meta({ description: "Name in reports: lower-case letters, digits and dashes." }),
  description: text("What the scenario proves, in one sentence.", 4096).optional(),
  tags: list(name("Tag."), "Tags to select scenarios by.").optional(),
  seed: integer("Everything random follows from it; default 1.", 0, Number.MAX_SAFE_INTEGER).optional(),
  clock: choice(
    ["virtual", "real"],
    "virtual: simulated time, reproducible; real: sockets and the wall clock.",
  ).optional(),
  extends: text("Another scenario file that this one changes.", 1024).optional(),
  vars: freeObject("Values for ${vars.<name>}.").optional(),
  env: list(
    text("Name of a variable.", 256),
    "Environment variables that ${env.<name>} may read, besides FLEETRIG_*.",
  ).optional(),
  broker: brokerBlock.optional(),
  services: servicesBlock.optional(),
  cloud: cloudBlock.optional(),
  policies: list(policy, "AWS IoT policies; they are enforced as soon as there are any.").optional(),
  thingTypes: list(thingType, "Thing types.").optional(),
  thingGroups: list(thingGroup, "Thing groups, static and dynamic.").optional(),
  authorizers: list(authorizer, "Custom authorizers; tokens need no signature.").optional(),
  provisioning: list(provisioningTemplate, "Templates of fleet provisioning.").optional(),
  index: indexBlock.optional(),
  network: networkBlock.optional(),
  fleet: list(fleetGroup, "Groups of devices.").min(1, "A scenario needs at least one fleet group."),
  bench: benchBlock.optional(),
  bridges: list(
    bridge,
    "Members of the fleet that are boards. Without their board they take no part: count them by share (connections.online == 100%) where the scenario should do with fewer.",
  ).optional(),
  rules: list(rule, "AWS topic rules, with AWS field names.").optional(),
  stages: list(stage, "What happens, in order.").min(1, "A scenario needs at least one stage."),
  expect: list(expectation, "What must hold at the end.").optional(),
  sweep: sweep.optional(),
  report: report.optional(),
}).meta({ title: "fleetrig scenario", description: "A scenario of fleetrig, version 1." });

/** A scenario as the file says it, with defaults not yet filled in. */
export type ScenarioDocument = z.infer<typeof scenarioDocument>;
export type RuleDocument = z.infer<typeof rule>;
export type SweepDocument = z.infer<typeof sweep>;

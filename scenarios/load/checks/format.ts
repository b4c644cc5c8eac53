import { FleetrigError, isJsonObject, type JsonValue } from "fleetrig/kernel";
import { parseRuleSql } from "fleetrig/broker";
import type { DistributionDocument } from "../../schema/distribution.js";
import { durationUs, ratePerSecond } from "../../schema/quantities.js";
import { MAX_SWEEP_SEEDS } from "../normalise.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { Checker } from "./checker.js";

/** The blocks around fleet and stages: broker, clock, network, rules, sweep. */
export function checkFormat(checker: Checker): void {
  checkClock(checker);
  checkBroker(checker);
  checkNetwork(checker);
  checkRules(checker);
  checkSweep(checker);
}

/** Simulated time cannot wait for anything outside of the process. */
function checkClock(checker: Checker): void {
  const { document } = checker;
  if (document.clock === "real") return;
  const clock = ["clock"];
  const hint = "Write clock: real, and run without --clock virtual.";
  if (document.broker?.mode === "external")
    checker.atValue(document.clock === undefined ? ["broker", "mode"] : clock, {
      code: "SCENARIO_CLOCK",
      message: "An external broker cannot run in virtual time.",
      hint,
    });
  if ((document.bridges ?? []).length > 0)
    checker.atValue(document.clock === undefined ? ["bridges"] : clock, {
      code: "SCENARIO_CLOCK",
      message: "Real boards cannot run in virtual time.",
      hint,
    });
}

const EMBEDDED_ONLY = ["listen", "limits", "profile"] as const;

function checkBroker(checker: Checker): void {
  const { broker, services } = checker.document;
  if (broker?.mode !== "external") {
    if (broker?.url !== undefined)
      checker.atKey(["broker", "url"], {
        code: "SCENARIO_CONTRADICTION",
        message: "An embedded broker has no url.",
        hint: "Write mode: external, or remove url.",
      });
    if (broker?.listen !== undefined && !/^(?:\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/.test(broker.listen))
      checker.atValue(["broker", "listen"], {
        code: "SCENARIO_INVALID_VALUE",
        message: `${broker.listen} is not an address.`,
        hint: "Write host:port, such as 127.0.0.1:1883; port 0 picks a free one.",
      });
    if (broker?.limits?.connectRate !== undefined && ratePerSecond(broker.limits.connectRate) === 0)
      checker.atValue(["broker", "limits", "connectRate"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: "A broker that accepts no CONNECT at all cannot be tested.",
        hint: "Write a rate above zero, or remove connectRate for no limit.",
      });
    return;
  }
  if (broker.url === undefined)
    checker.missingIn(["broker"], {
      code: "SCENARIO_MISSING_KEY",
      message: "An external broker needs a url.",
      hint: "Write url: mqtt://host:1883.",
    });
  else if (!/^(?:mqtts?|wss?):\/\/[^\s/]+/.test(broker.url))
    checker.atValue(["broker", "url"], {
      code: "SCENARIO_INVALID_VALUE",
      message: "The url does not start with mqtt://, mqtts://, ws:// or wss:// and a host.",
      hint: "Write url: mqtt://host:1883.",
    });
  for (const key of EMBEDDED_ONLY)
    if (broker[key] !== undefined)
      checker.atKey(["broker", key], {
        code: "SCENARIO_CONTRADICTION",
        message: `${key} belongs to the embedded broker; an external one has its own.`,
        hint: `Remove ${key}.`,
      });
  for (const [service, isOn] of Object.entries(services ?? {}))
    if (isOn === true)
      checker.atKey(["services", service], {
        code: "SCENARIO_CONTRADICTION",
        message: `${service} runs beside the embedded broker, not beside an external one.`,
        hint: "Remove it: an external broker brings its own services.",
      });
}

function checkNetwork(checker: Checker): void {
  for (const [name, profile] of Object.entries(checker.document.network ?? {}))
    checkDistribution(checker, profile.latency, ["network", name, "latency"]);
}

/** Bounds of a distribution must be in order, or its draws would make no sense. */
export function checkDistribution(
  checker: Checker,
  document: DistributionDocument | undefined,
  path: SourcePath,
): void {
  if (document === undefined || typeof document === "string") return;
  if (document.dist === "uniform" && durationUs(document.min) > durationUs(document.max))
    checker.atValue([...path, "max"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `max (${document.max}) is below min (${document.min}).`,
      hint: "Swap the two.",
    });
  if (document.dist !== "lognormal") return;
  if (durationUs(document.median) === 0)
    checker.atValue([...path, "median"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: "The median of a lognormal distribution is above zero.",
    });
  if (durationUs(document.median) > durationUs(document.p99))
    checker.atValue([...path, "p99"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `p99 (${document.p99}) is below the median (${document.median}).`,
      hint: "99 of 100 draws are below p99, so it cannot be smaller.",
    });
}

/** AWS: actions of a topic rule (REF §9.6). All but `republish` are recorded, not carried out. */
const RULE_ACTIONS =
  "cloudwatchAlarm cloudwatchLogs cloudwatchMetric dynamoDB dynamoDBv2 elasticsearch firehose http iotAnalytics iotEvents iotSiteWise kafka kinesis lambda location openSearch republish s3 salesforce sns sqs stepFunctions timestream".split(
    " ",
  );

function checkRules(checker: Checker): void {
  const { rules = [], services } = checker.document;
  checker.uniqueNames(
    rules.map((rule, index) => ({ name: rule.name, path: ["rules", index, "name"] })),
    "a rule",
  );
  if (rules.length > 0 && services?.rules !== true)
    checker.atKey(["rules"], {
      code: "SCENARIO_SERVICE_OFF",
      message: "The scenario has rules, but the rules service is off.",
      hint: "Write services: { rules: true }.",
    });
  rules.forEach((rule, index) => {
    if (!/^\w+$/.test(rule.name))
      checker.atValue(["rules", index, "name"], {
        code: "SCENARIO_NOT_AWS",
        severity: "warning",
        message: `AWS IoT would not take the rule name ${rule.name}.`,
        hint: "AWS allows letters, digits and underscores.",
      });
    checkSql(checker, rule.sql, ["rules", index, "sql"]);
    rule.actions.forEach((action, at) => checkRuleAction(checker, action, ["rules", index, "actions", at]));
    if (rule.errorAction !== undefined)
      checkRuleAction(checker, rule.errorAction, ["rules", index, "errorAction"]);
  });
}

function checkSql(checker: Checker, sql: string, path: SourcePath): void {
  try {
    parseRuleSql(sql);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const offset = error.context["offset"];
    checker.inText(
      path,
      { offset: typeof offset === "number" ? offset : 0, length: 1 },
      {
        code: "SCENARIO_RULE_SQL",
        message: error.message.replace(` (${error.code})`, ""),
        hint: error.hint,
      },
    );
  }
}

function checkRuleAction(
  checker: Checker,
  action: Readonly<Record<string, JsonValue>>,
  path: SourcePath,
): void {
  const [name, ...others] = Object.keys(action);
  if (name === undefined || others.length > 0) {
    checker.atValue(path, {
      code: "SCENARIO_RULE_ACTION",
      message: "An action of a rule has exactly one name, such as republish.",
      hint: "Write one list item per action.",
    });
    return;
  }
  if (!RULE_ACTIONS.includes(name))
    checker.atKey([...path, name], {
      code: "SCENARIO_RULE_ACTION",
      message: `AWS IoT has no rule action ${name}.`,
      hint: suggestion(name, RULE_ACTIONS),
    });
  const parameters = action[name];
  if (name === "republish" && (!isJsonObject(parameters) || typeof parameters["topic"] !== "string"))
    checker.atValue([...path, name], {
      code: "SCENARIO_RULE_ACTION",
      message: "republish needs a topic.",
      hint: 'Write republish: { topic: "alerts/${thing}" }.',
    });
}

function checkSweep(checker: Checker): void {
  const { sweep } = checker.document;
  if (sweep === undefined) return;
  const path = ["sweep", "seeds"];
  const list = typeof sweep.seeds === "string" ? undefined : sweep.seeds;
  const [from = 0, to = 0] = typeof sweep.seeds === "string" ? sweep.seeds.split("..").map(Number) : [];
  const count = list?.length ?? to - from + 1;
  if (count < 1)
    checker.atValue(path, {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The range ${from}..${to} is empty.`,
      hint: `Write ${to}..${from}.`,
    });
  if (count > MAX_SWEEP_SEEDS)
    checker.atValue(path, {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `A sweep has at most 10,000 seeds, not ${count}.`,
    });
  if (list !== undefined && new Set(list).size !== list.length)
    checker.atValue(path, {
      code: "SCENARIO_DUPLICATE_NAME",
      message: "A seed appears twice in the list; the second run would be the same as the first.",
    });
  checkVariantNames(checker, sweep.variants ?? []);
  const expectations = [sweep, sweep.control, ...(sweep.variants ?? [])].flatMap((one) => one?.expect ?? []);
  if (expectations.length === 0)
    checker.missingIn(["sweep"], {
      code: "SCENARIO_MISSING_KEY",
      message: "The sweep expects nothing.",
      hint: "Add expect to the sweep, to its control run or to a variant.",
    });
}

/** `main` and `control` are taken, and a name must say which variant is meant. */
function checkVariantNames(checker: Checker, variants: readonly { readonly name: string }[]): void {
  const taken = new Set(["main", "control"]);
  variants.forEach(({ name }, index) => {
    if (taken.has(name))
      checker.atValue(["sweep", "variants", index, "name"], {
        code: "SCENARIO_DUPLICATE_NAME",
        message: `The sweep has a variant named ${name} already.`,
      });
    taken.add(name);
  });
}

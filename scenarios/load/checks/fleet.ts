import { US_PER_S } from "fleetrig/kernel";
import { isShadowName } from "fleetrig/protocol";
import { BUILTIN_MODELS } from "fleetrig/sim";
import type { FleetGroupDocument } from "../../schema/fleet.js";
import { durationUs, fraction, ratePerSecond } from "../../schema/quantities.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import { isVersion311 } from "../normalise-fleet.js";
import { traceFieldOf, untraceableBecause } from "../../trace-field.js";
import type { Checker } from "./checker.js";
import { checkDistribution } from "./format.js";
import { checkTemplates, checkThingNames } from "./names.js";

/** Groups of devices and the boards among them. */
export function checkFleet(checker: Checker): void {
  const { fleet } = checker.document;
  checker.uniqueNames(
    fleet.map((group, index) => ({ name: group.group, path: ["fleet", index, "group"] })),
    "a group",
  );
  fleet.forEach((group, index) => {
    const path = ["fleet", index];
    checkModel(checker, group, path);
    checkNetworkName(checker, group, path);
    checkAttributes(checker, group, path);
    checkMqtt(checker, group, path);
    checkTiming(checker, group, path);
    checkSignals(checker, group, path);
    checkDistribution(checker, group.shadow?.applyTime, [...path, "shadow", "applyTime"]);
    checkDistribution(checker, group.ota?.executionTime, [...path, "ota", "executionTime"]);
    if (group.shadow?.name !== undefined)
      checkShadowName(checker, group.shadow.name, [...path, "shadow", "name"]);
    checkTemplates(checker, group, path);
  });
  checkThingNames(checker);
}

/** A shadow's name must be one that AWS and the shadow service take. */
export function checkShadowName(checker: Checker, name: string, path: SourcePath): void {
  if (isShadowName(name)) return;
  checker.atValue(path, {
    code: "SCENARIO_INVALID_NAME",
    message: `${name} is not a shadow name.`,
    hint: "A shadow name has 1 to 64 letters, digits, colons, dashes or underscores.",
  });
}

function checkModel(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { model } = group;
  if (model === undefined) {
    if (group.requires !== "hardware")
      checker.missingIn(path, {
        code: "SCENARIO_MISSING_KEY",
        message: `The group ${group.group} has no model.`,
        hint: `Write model: builtin:<name>; there is ${Object.keys(BUILTIN_MODELS).join(", ")}.`,
      });
    return;
  }
  const builtin = /^builtin:(.*)$/.exec(model)?.[1];
  if (builtin !== undefined) {
    if (!Object.hasOwn(BUILTIN_MODELS, builtin))
      checker.atValue([...path, "model"], {
        code: "SCENARIO_DANGLING_REFERENCE",
        message: `There is no built-in model ${builtin}.`,
        hint: suggestion(builtin, Object.keys(BUILTIN_MODELS)),
      });
  } else if (!/^\.{1,2}\/[^#]+\.[cm]?[jt]s(?:#[\w$]+)?$/.test(model))
    checker.atValue([...path, "model"], {
      code: "SCENARIO_INVALID_VALUE",
      message: `${model} is neither a built-in model nor a file.`,
      hint: "Write builtin:temperature-sensor, or ./models/pump.ts#default.",
    });
}

function checkNetworkName(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const known = Object.keys(checker.document.network ?? {});
  if (group.network === undefined || known.includes(group.network)) return;
  checker.atValue([...path, "network"], {
    code: "SCENARIO_DANGLING_REFERENCE",
    message: `There is no network profile named ${group.network}.`,
    hint: known.length === 0 ? "Define it under network." : suggestion(group.network, known),
  });
}

function checkAttributes(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  for (const [name, attribute] of Object.entries(group.attributes ?? {})) {
    if (attribute === null || typeof attribute !== "object") continue;
    const at = [...path, "attributes", name];
    if ("cycle" in attribute && attribute.cycle.from > attribute.cycle.to)
      checker.atValue([...at, "cycle", "to"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: `The cycle ends (${attribute.cycle.to}) before it starts (${attribute.cycle.from}).`,
        hint: "Swap from and to.",
      });
    if (!("choice" in attribute)) continue;
    const sum = Object.values(attribute.choice).reduce((total, text) => total + fraction(text), 0);
    if (Math.abs(sum - 1) > 1e-6)
      checker.atValue([...at, "choice"], {
        code: "SCENARIO_SHARES",
        message: `The shares of ${name} add up to ${Number((sum * 100).toFixed(6))}%, not to 100%.`,
        hint: "Adjust the shares.",
      });
  }
}

/** Durations that MQTT carries in whole seconds, with the most their field holds. */
const WHOLE_SECONDS = [
  { keys: ["keepAlive"], max: 65_535 },
  { keys: ["sessionExpiry"], max: 4_294_967_295 },
  { keys: ["will", "delay"], max: 4_294_967_295 },
] as const;

function checkMqtt(checker: Checker, { mqtt }: FleetGroupDocument, path: SourcePath): void {
  if (mqtt === undefined) return;
  for (const { keys, max } of WHOLE_SECONDS) {
    const text = keys[0] === "will" ? mqtt.will?.delay : mqtt[keys[0]];
    if (text === undefined) continue;
    const seconds = durationUs(text) / US_PER_S;
    if (Number.isInteger(seconds) && seconds <= max) continue;
    checker.atValue([...path, "mqtt", ...keys], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `MQTT carries ${keys.join(".")} in whole seconds up to ${max}, and ${text} is not one of them.`,
      hint: "Round it to seconds.",
    });
  }
  checkPublishRetry(checker, mqtt, path);
  if (mqtt.will !== undefined && /[+#]/.test(mqtt.will.topic))
    checker.atValue([...path, "mqtt", "will", "topic"], WILDCARD);
}

const SHORTEST_RETRY_US = US_PER_S;

function checkPublishRetry(
  checker: Checker,
  { publishRetry, protocolVersion }: NonNullable<FleetGroupDocument["mqtt"]>,
  path: SourcePath,
): void {
  if (publishRetry === undefined) return;
  const at = [...path, "mqtt", "publishRetry"];
  if (!isVersion311(protocolVersion))
    checker.atValue(at, {
      code: "SCENARIO_CONTRADICTION",
      message: "MQTT 5 forbids repeating a PUBLISH on a connection that stands [MQTT-4.4.0-1].",
      hint: 'Write protocolVersion: "3.1.1", or leave publishRetry out.',
    });
  if (durationUs(publishRetry) < SHORTEST_RETRY_US)
    checker.atValue(at, {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `${publishRetry} is too short a time to wait for PUBACK.`,
      hint: "The shortest is 1s.",
    });
}

/** What is wrong with a topic that something is published to. */
export const WILDCARD = {
  code: "SCENARIO_TOPIC",
  message: "A topic to publish to has no wildcards.",
  hint: "Name the topic in full; + and # belong into subscriptions and rules.",
} as const;

function checkTiming(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { reconnect, connect, telemetry = [] } = group;
  const base = durationUs(reconnect?.base ?? "1s");
  const cap = durationUs(reconnect?.cap ?? "60s");
  if (reconnect !== undefined && base > cap)
    checker.atValue([...path, "reconnect", reconnect.cap === undefined ? "base" : "cap"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: `The longest wait (${reconnect.cap ?? "60s"}) is below the first (${reconnect.base ?? "1s"}).`,
      hint: "cap bounds what base grows to.",
    });
  if (connect?.arrival !== undefined) checkArrival(checker, connect.arrival, [...path, "connect", "arrival"]);
  checker.uniqueNames(
    telemetry.map((item, index) => ({ name: item.name, path: [...path, "telemetry", index, "name"] })),
    "a stream",
  );
  telemetry.forEach((item, index) => {
    const at = [...path, "telemetry", index];
    if (durationUs(item.every) < 1000)
      checker.atValue([...at, "every"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: `${item.every} is too short an interval.`,
        hint: "The shortest is 1ms.",
      });
    if (/[+#]/.test(item.topic)) checker.atValue([...at, "topic"], WILDCARD);
    checkTraceField(checker, { group, item, path: at });
  });
}

interface TelemetryItem {
  readonly group: FleetGroupDocument;
  readonly item: NonNullable<FleetGroupDocument["telemetry"]>[number];
  readonly path: SourcePath;
}

/** Without a field of {seq}, nobody can tell whether a message of an MQTT 3.1.1 device arrived. */
function checkTraceField(checker: Checker, { group, item, path }: TelemetryItem): void {
  const { topic, payload = {}, traceField } = item;
  const stream = { topic, payload, traceField };
  if (traceField !== undefined && traceFieldOf(stream) === undefined) {
    checker.atValue([...path, "traceField"], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `The payload has no key ${traceField} that holds {seq}.`,
      hint: 'Write payload: { seq: "{seq}" } and traceField: seq.',
    });
    return;
  }
  if (!isVersion311(group.mqtt?.protocolVersion)) return;
  const reason = untraceableBecause(stream, group.things?.length ?? group.count ?? 1);
  if (reason === undefined) return;
  checker.missingIn(path, {
    code: "SCENARIO_UNTRACEABLE",
    severity: "warning",
    message: `Delivery and latency of this stream cannot be measured: ${reason}.`,
    hint: 'MQTT 3.1.1 messages are known by a topic of their own per thing and a payload key such as seq: "{seq}".',
  });
}

type ArrivalDocument = NonNullable<NonNullable<FleetGroupDocument["connect"]>["arrival"]>;

function checkArrival(checker: Checker, arrival: ArrivalDocument, path: SourcePath): void {
  const { rate, spread, distribution } = arrival;
  if ((rate === undefined) === (spread === undefined))
    checker.atValue(path, {
      code: "SCENARIO_CONTRADICTION",
      message: "An arrival has either a rate or a spread.",
      hint: "Write { rate: 100/s } or { spread: 30s }.",
    });
  if (rate !== undefined && ratePerSecond(rate) === 0)
    checker.atValue([...path, "rate"], {
      code: "SCENARIO_OUT_OF_RANGE",
      message: "At this rate no device ever arrives.",
    });
  const other = rate === undefined ? "poisson" : "uniform";
  if (distribution === other)
    checker.atValue([...path, "distribution"], {
      code: "SCENARIO_CONTRADICTION",
      message: `${other} does not go with ${rate === undefined ? "spread" : "rate"}.`,
      hint: `Use linear or ${rate === undefined ? "uniform" : "poisson"}.`,
    });
}

function checkSignals(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  for (const [name, signal] of Object.entries(group.signals ?? {})) {
    const at = [...path, "signals", name];
    if ((signal.shape === "random-walk" || signal.shape === "sawtooth") && signal.min > signal.max)
      checker.atValue([...at, "max"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: `max (${signal.max}) is below min (${signal.min}).`,
        hint: "Swap the two.",
      });
    const length = "period" in signal ? signal.period : "every" in signal ? signal.every : undefined;
    if (length !== undefined && durationUs(length) === 0)
      checker.atValue([...at, "period" in signal ? "period" : "every"], {
        code: "SCENARIO_OUT_OF_RANGE",
        message: "A signal needs a length above zero.",
      });
  }
}

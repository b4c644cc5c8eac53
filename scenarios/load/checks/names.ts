import { isThingName } from "fleetrig/protocol";
import { FleetrigError, isJsonObject, type JsonValue } from "fleetrig/kernel";
import { compileText, IDENTITY_FIELDS } from "fleetrig/sim";
import type { FleetGroupDocument } from "../../schema/fleet.js";
import type { SourcePath } from "../source-tree.js";
import type { Checker } from "./checker.js";

const PLACEHOLDER = /\{([A-Za-z_][\w.-]*)(?::0\d{1,2})?\}/g;

/** Placeholders of a thing's name; the name itself is not known yet. */
const NAME_PLACEHOLDERS = new Set(["index"]);

/** Everything a group's templates name must exist: attributes, identity fields, signals. */
export function checkTemplates(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const attributes = Object.keys(group.attributes ?? {});
  const check = (text: string, at: SourcePath) => checkTemplate(checker, text, { attributes, path: at });
  if (group.thingName !== undefined) check(group.thingName, [...path, "thingName"]);
  const will = group.mqtt?.will;
  if (will !== undefined) {
    check(will.topic, [...path, "mqtt", "will", "topic"]);
    check(will.payload ?? "", [...path, "mqtt", "will", "payload"]);
  }
  (group.telemetry ?? []).forEach((item, index) => {
    const at = [...path, "telemetry", index];
    check(item.topic, [...at, "topic"]);
    eachText(item.payload ?? null, [...at, "payload"], check);
  });
}

interface TemplateContext {
  readonly attributes: readonly string[];
  readonly path: SourcePath;
}

/** Reports the first placeholder of a text that names nothing. */
export function checkTemplate(checker: Checker, text: string, { attributes, path }: TemplateContext): void {
  // Which signals there are is the model's business; the fleet checks them when it is planned.
  const signals = [...text.matchAll(PLACEHOLDER)].flatMap(([, name = ""]) =>
    name.startsWith("state.") ? [name.slice("state.".length)] : [],
  );
  try {
    compileText(text, { signals, attributes, identity: IDENTITY_FIELDS });
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    const name = String(error.context["placeholder"]);
    checker.inText(
      path,
      { offset: Math.max(0, text.indexOf(`{${name}`)), length: name.length + 2 },
      {
        code: "SCENARIO_PLACEHOLDER",
        message: `There is no placeholder {${name}} here.`,
        hint: error.hint,
      },
    );
    return;
  }
  if (path.at(-1) === "thingName") checkNamePlaceholders(checker, text, { attributes, path });
}

function checkNamePlaceholders(checker: Checker, text: string, { attributes, path }: TemplateContext): void {
  for (const [written, name = ""] of text.matchAll(PLACEHOLDER)) {
    if (NAME_PLACEHOLDERS.has(name) || attributes.includes(name)) continue;
    checker.inText(
      path,
      { offset: text.indexOf(written), length: written.length },
      {
        code: "SCENARIO_PLACEHOLDER",
        message: `${written} is not known yet when a thing gets its name.`,
        hint: "Use {index} and attributes.",
      },
    );
  }
}

/** Calls back for every text inside a payload, with its path. */
export function eachText(
  value: JsonValue,
  path: SourcePath,
  visit: (text: string, path: SourcePath) => void,
): void {
  if (typeof value === "string") visit(value, path);
  else if (Array.isArray(value))
    value.forEach((item: JsonValue, index) => eachText(item, [...path, index], visit));
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) eachText(item, [...path, key], visit);
}

/** Names must be AWS thing names, and no two things may have the same one. */
export function checkThingNames(checker: Checker): void {
  const owners = new Map<string, string>();
  const claim = (name: string, group: string, path: SourcePath) => {
    const owner = owners.get(name);
    if (owner !== undefined)
      checker.atValue(path, {
        code: "SCENARIO_DUPLICATE_NAME",
        message:
          owner === group
            ? `The group ${group} has two things named ${name}.`
            : `The groups ${owner} and ${group} would give their things the same names.`,
        hint: "Names of things are unique in the whole fleet.",
      });
    owners.set(name, group);
  };
  checker.document.fleet.forEach((group, index) => {
    const path = ["fleet", index];
    checkSources(checker, group, path);
    group.things?.forEach((thing, at) => {
      checkCharacters(checker, thing, [...path, "things", at]);
      claim(thing, group.group, [...path, "things", at]);
    });
    if (group.things !== undefined || group.thingName === undefined) return;
    checkCharacters(checker, group.thingName.replace(PLACEHOLDER, "x"), [...path, "thingName"]);
    claim(withConstants(group), group.group, [...path, "thingName"]);
  });
}

function checkSources(checker: Checker, group: FleetGroupDocument, path: SourcePath): void {
  const { things, count, thingName } = group;
  if (things !== undefined)
    for (const key of ["count", "thingName"] as const)
      if (group[key] !== undefined)
        checker.atKey([...path, key], {
          code: "SCENARIO_CONTRADICTION",
          message: `things lists the names, so ${key} has no effect.`,
          hint: `Remove ${key}, or things.`,
        });
  if (things !== undefined) return;
  if (group.requires === "hardware" && count === undefined)
    checker.missingIn(path, {
      code: "SCENARIO_MISSING_KEY",
      message: `The group ${group.group} requires hardware but does not list its things.`,
      hint: "Write things: [board-1], or count: 2.",
    });
  else if (count === undefined)
    checker.missingIn(path, {
      code: "SCENARIO_MISSING_KEY",
      message: `The group ${group.group} has no count.`,
      hint: "Write count: 100, or list the names under things.",
    });
  if (count !== undefined && count > 1 && thingName !== undefined && !isVaried(group, thingName))
    checker.atValue([...path, "thingName"], {
      code: "SCENARIO_NAMES_NOT_UNIQUE",
      message: `${thingName} does not give ${count} things names of their own.`,
      hint: 'Add the index, as in "sensor-{index:04}".',
    });
}

/** The index tells things apart, and so does a cycle long enough or a serial number. */
function isVaried(group: FleetGroupDocument, thingName: string): boolean {
  return [...thingName.matchAll(PLACEHOLDER)].some(([, name = ""]) => {
    if (name === "index") return true;
    const attribute = Object.hasOwn(group.attributes ?? {}, name) ? group.attributes?.[name] : undefined;
    if (attribute === undefined || attribute === null || typeof attribute !== "object") return false;
    if ("identity" in attribute) return ["serial", "mac", "imei", "uuid"].includes(attribute.identity);
    return "cycle" in attribute && attribute.cycle.to - attribute.cycle.from + 1 >= (group.count ?? 1);
  });
}

function checkCharacters(checker: Checker, name: string, path: SourcePath): void {
  if (isThingName(name)) return;
  checker.atValue(path, {
    code: "SCENARIO_INVALID_NAME",
    message: "A thing name has 1 to 128 letters, digits, colons, dashes or underscores.",
    hint: "AWS IoT and the topics of shadows and jobs allow nothing else.",
  });
}

/** The template with the attributes filled in that are the same for the whole group. */
const withConstants = (group: FleetGroupDocument): string =>
  (group.thingName ?? "").replace(PLACEHOLDER, (written, name: string) => {
    const attribute = Object.hasOwn(group.attributes ?? {}, name) ? group.attributes?.[name] : undefined;
    return attribute === undefined || typeof attribute === "object" ? written : `${attribute}`;
  });

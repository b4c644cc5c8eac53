import type { FleetGroupDocument } from "../../schema/fleet.js";
import type { SelectionDocument } from "../../schema/selection.js";
import type { SourcePath } from "../source-tree.js";
import { suggestion } from "../suggest.js";
import type { Checker } from "./checker.js";

/** A selection must be able to match something: an action on nothing proves nothing. */
export function checkSelection(
  checker: Checker,
  select: SelectionDocument | undefined,
  path: SourcePath,
): void {
  if (select === undefined) return;
  const { fleet } = checker.document;
  const names = fleet.map((group) => group.group);
  if (select.group !== undefined && !names.includes(select.group)) {
    checker.atValue([...path, "group"], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `There is no fleet group named ${select.group}.`,
      hint: suggestion(select.group, names),
    });
    return;
  }
  const groups = fleet.filter((group) => select.group === undefined || group.group === select.group);
  checkSize(checker, select, { groups, path });
  checkThings(checker, select, { groups, path });
  for (const [attribute, value] of Object.entries(select.where ?? {}))
    checkCondition(checker, { attribute, value }, { groups, path });
}

interface SelectionContext {
  readonly groups: readonly FleetGroupDocument[];
  readonly path: SourcePath;
}

const sizeOf = (group: FleetGroupDocument): number => group.things?.length ?? group.count ?? 1;

function checkSize(checker: Checker, select: SelectionDocument, { groups, path }: SelectionContext): void {
  if (select.count !== undefined && select.percent !== undefined)
    checker.atKey([...path, "percent"], {
      code: "SCENARIO_CONTRADICTION",
      message: "A selection has either a count or a percentage.",
      hint: "Remove one of the two.",
    });
  const available = groups.reduce((sum, group) => sum + sizeOf(group), 0);
  if (select.count !== undefined && select.count > available)
    checker.atValue([...path, "count"], {
      code: "SCENARIO_EMPTY_SELECTION",
      message: `There are only ${available} things to select ${select.count} from.`,
      hint: "Lower count, or write percent: 100%.",
    });
}

function checkThings(checker: Checker, select: SelectionDocument, { groups, path }: SelectionContext): void {
  const known = groups.flatMap((group) => group.things ?? []);
  // Names from a template are known only when the fleet is planned; compare with their fixed parts.
  const patterns = groups
    .filter((group) => group.things === undefined)
    .map((group) => (group.thingName ?? `${group.group}-{index}`).split("{", 1)[0]!);
  select.things?.forEach((thing, index) => {
    if (known.includes(thing) || patterns.some((prefix) => thing.startsWith(prefix))) return;
    checker.atValue([...path, "things", index], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `There is no thing named ${thing}.`,
      hint: suggestion(thing, known),
    });
  });
}

interface Condition {
  readonly attribute: string;
  readonly value: string | number | boolean;
}

function checkCondition(checker: Checker, condition: Condition, { groups, path }: SelectionContext): void {
  const { attribute, value } = condition;
  const known = [...new Set(groups.flatMap((group) => Object.keys(group.attributes ?? {})))];
  if (!known.includes(attribute)) {
    checker.atKey([...path, "where", attribute], {
      code: "SCENARIO_DANGLING_REFERENCE",
      message: `No selected thing has an attribute named ${attribute}.`,
      hint: suggestion(attribute, known),
    });
    return;
  }
  if (groups.some((group) => canHave(group, condition))) return;
  checker.atValue([...path, "where", attribute], {
    code: "SCENARIO_EMPTY_SELECTION",
    message: `No thing ever has ${attribute}: ${value}.`,
    hint: "Values must be equal, numbers and text are different.",
  });
}

function canHave(group: FleetGroupDocument, { attribute, value }: Condition): boolean {
  const written = Object.hasOwn(group.attributes ?? {}, attribute)
    ? group.attributes?.[attribute]
    : undefined;
  if (written === undefined) return false;
  if (written === null || typeof written !== "object") return written === value;
  if ("identity" in written) return typeof value === "string";
  if ("choice" in written) return typeof value === "string" && Object.hasOwn(written.choice, value);
  // A short group does not reach the end of a long cycle.
  const last = Math.min(written.cycle.to, written.cycle.from + sizeOf(group) - 1);
  return typeof value === "number" && Number.isInteger(value) && value >= written.cycle.from && value <= last;
}

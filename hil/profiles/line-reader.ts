import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { compileLinePattern, type LinePattern } from "../log/index.js";
import type { LineProfile } from "./line-profile.js";

type Rule = LineProfile["read"][number];
type Field = NonNullable<Rule["values"]>[string];

/** A line that means something. */
export interface LineReading {
  readonly rule: Rule;
  readonly values: JsonObject;
}

const NUMBER = /^[+-]?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?$/;
const GROUP_NAME = /\(\?P?<([A-Za-z]\w{0,63})>/g;

interface CompiledRule {
  readonly rule: Rule;
  readonly pattern: LinePattern;
  readonly fields: readonly (readonly [name: string, field: Field, group: number])[];
}

/** Reads lines by the rules of a profile: the first that fits decides. */
export class LineReader {
  private readonly rules: readonly CompiledRule[];

  /** @throws FleetrigError `BOARD_LOG_PATTERN` (exit 2) */
  constructor({ read }: LineProfile) {
    this.rules = read.map((rule) => {
      const names = [...rule.match.matchAll(GROUP_NAME)].map(([, name]) => name!);
      const usual = names.map((name): [string, Field] => [name, { group: name, type: "number", scale: 1 }]);
      const fields = Object.entries(rule.values ?? Object.fromEntries(usual)).map(
        ([name, field]) => [name, field, groupNumber(rule.match, field.group)] as const,
      );
      return { rule, pattern: compileLinePattern(rule.match), fields };
    });
  }

  read(line: string): LineReading | undefined {
    for (const { rule, pattern, fields } of this.rules) {
      const groups = pattern.match(line);
      if (groups === undefined) continue;
      const isFree = rule.values === undefined;
      const values = fields.flatMap(([name, field, group]): [string, JsonValue][] => {
        const value = valueOf(groups[group], field, isFree);
        return value === undefined ? [] : [[name, value]];
      });
      return { rule, values: Object.fromEntries(values) };
    }
    return undefined;
  }
}

/** RE2 numbers named groups together with the others, by their opening parentheses. */
function groupNumber(pattern: string, group: number | string): number {
  if (typeof group === "number") return group;
  let number = 0;
  for (const match of pattern.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|\((\?P?<(\w+)>)?(?!\?)|\(\?P?<(\w+)>/g)) {
    if (!match[0].startsWith("(")) continue;
    number += 1;
    if (match[2] === group || match[3] === group) return number;
  }
  return Number.MAX_SAFE_INTEGER;
}

function valueOf(text: string | undefined, { type, scale }: Field, isFree: boolean): JsonValue | undefined {
  if (text === undefined || text === "") return undefined;
  if (type === "string") return text;
  if (type === "boolean") return /^(?:1|on|true|yes|open)$/i.test(text);
  if (!NUMBER.test(text)) return isFree ? text : undefined;
  const number = Number(text) * scale;
  return type === "integer" ? Math.round(number) : number;
}

const PLACEHOLDER = /\{([A-Za-z_][\w.-]{0,127})\}/g;

/** Lines to write, with values in their places; a line that lacks one is left out. */
export function linesOf(write: string | readonly string[], values: JsonObject): readonly string[] {
  return (typeof write === "string" ? [write] : write).flatMap((template) => {
    let isWhole = true;
    const line = template.replace(PLACEHOLDER, (_all, path: string) => {
      const value = valueAt(values, path);
      isWhole &&= value !== undefined;
      return value ?? "";
    });
    return isWhole ? [line] : [];
  });
}

/** A line has no end in the middle, whatever the cloud sends. */
function valueAt(values: JsonObject, path: string): string | undefined {
  let value: JsonValue | undefined = values;
  for (const key of path.split(".")) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  if (value === undefined || value === null) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[\r\n\0]/.test(text) ? undefined : text;
}

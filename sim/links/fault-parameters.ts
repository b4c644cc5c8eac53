import {
  EXIT,
  FleetrigError,
  type JsonObject,
  type JsonValue,
  parseBitsPerSecond,
  parseBytes,
  parseDurationUs,
  parsePercent,
} from "fleetrig/kernel";
import type { FaultParameter, FaultParameterKind, FaultValue, FaultValues } from "./link-fault.js";

/** Positions a `drop-publish` may list; a longer list is a mistake, not a scenario. */
const POSITIONS_MAX = 100_000;

/**
 * Reads a fault's parameters from an action's detail. Durations, rates and shares may be written with their
 * unit (`250ms`, `64kbit/s`, `5%`) or as a number of µs, bits per second, or within 0..1.
 * @throws FleetrigError LINK_FAULT_PARAMETER for unknown, missing or unreadable parameters.
 */
export function readFaultValues(
  fault: string,
  parameters: Readonly<Record<string, FaultParameter>>,
  detail: JsonObject,
): FaultValues {
  for (const name of Object.keys(detail)) {
    if (!Object.hasOwn(parameters, name)) throw parameterError(fault, name, "is not known", parameters);
  }
  const values: Record<string, FaultValue> = Object.create(null);
  for (const [name, parameter] of Object.entries(parameters)) {
    const given = Object.hasOwn(detail, name) ? detail[name] : undefined;
    if (given === undefined) {
      if (parameter.default === undefined && parameter.isOptional !== true) {
        throw parameterError(fault, name, "is missing", parameters);
      }
      values[name] = parameter.default;
      continue;
    }
    const value = readFaultValue(parameter.kind, given);
    if (value === undefined) throw parameterError(fault, name, `is not a ${parameter.kind}`, parameters);
    values[name] = value;
  }
  return values;
}

/** One parameter by its kind; undefined when it cannot be read, so that a loader can point at it. */
export const readFaultValue = (kind: FaultParameterKind, given: JsonValue): FaultValue =>
  READERS[kind](given);

const READERS: Readonly<Record<FaultParameterKind, (given: JsonValue) => FaultValue>> = {
  duration: (given) => quantity(given, parseDurationUs, Number.MAX_SAFE_INTEGER),
  share: (given) => quantity(given, parsePercent, 1),
  "bits-per-second": (given) => {
    const rate = quantity(given, parseBitsPerSecond, Number.MAX_SAFE_INTEGER);
    return rate === 0 ? undefined : rate;
  },
  bytes: (given) => {
    const size = quantity(given, parseBytes, Number.MAX_SAFE_INTEGER);
    return size === undefined || Number.isInteger(size) ? size : undefined;
  },
  count: (given) => (isCount(given) ? given : undefined),
  direction: (given) => (given === "up" || given === "down" || given === "both" ? given : undefined),
  positions: (given) =>
    Array.isArray(given) && given.length <= POSITIONS_MAX && given.every(isCount) ? given : undefined,
};

function quantity(
  given: JsonValue,
  parse: (text: string) => number | undefined,
  max: number,
): number | undefined {
  const value = typeof given === "string" ? parse(given) : given;
  return typeof value === "number" && value >= 0 && value <= max ? value : undefined;
}

const isCount = (given: unknown): given is number => Number.isSafeInteger(given) && (given as number) >= 0;

const parameterError = (
  fault: string,
  name: string,
  problem: string,
  parameters: Readonly<Record<string, FaultParameter>>,
): FleetrigError =>
  new FleetrigError("LINK_FAULT_PARAMETER", `Parameter ${name} of ${fault} ${problem}.`, {
    hint:
      Object.keys(parameters).length === 0
        ? `${fault} takes no parameters.`
        : `${fault} takes ${Object.entries(parameters)
            .map(([known, { kind }]) => `${known} (${kind})`)
            .join(", ")}.`,
    context: { fault, parameter: name },
    exitCode: EXIT.usage,
  });

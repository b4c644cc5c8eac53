import { didYouMean, EXIT, FleetrigError, type JsonValue, parseDurationUs } from "fleetrig/kernel";
import type { FaultParameterKind } from "../links/link-fault.js";
import { PROXY_FAULTS, type ProxyFault, proxyFault } from "./proxy-fault.js";

/**
 * Faults as one line of text, in the words of scenarios:
 *
 *     fault      = name ["=" value] *("," key "=" value)
 *     name       = as listed, with or without "link." or "bytes."
 *     key        = a parameter of the fault, or at, for, client
 *
 * The value after the name is the fault's main parameter: `latency=100ms` is `latency,by=100ms`. `at` says when it
 * begins and `for` how long it lasts, as in a scenario; `client` is a pattern of client identifiers. The positions
 * of drop-publish are joined by "+".
 */

const MAX_CHARS = 65_536;

/** By fault, the parameter whose value stands directly after the name. */
export const MAIN_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ["link.latency", "by"],
  ["link.bandwidth", "rate"],
  ["link.loss", "share"],
  ["link.flap", "down"],
  ["link.refuse", "probability"],
  ["link.drop-publish", "positions"],
  ["link.stall", "hold"],
  ["bytes.slice", "size"],
  ["bytes.limit", "bytes"],
  ["bytes.corrupt", "probability"],
]);

/**
 * Reads a fault such as `latency=100ms,jitter=20ms,direction=up,at=30s,for=10s,client=dev-*`. Whether the values suit
 * the fault shows when it is applied.
 * @throws FleetrigError `PROXY_FAULT_TEXT`, `PROXY_FAULT_UNKNOWN`
 */
export function parseFaultText(text: string): ProxyFault {
  if (text.length > MAX_CHARS) throw textError(text.slice(0, 40), `it has more than ${MAX_CHARS} characters`);
  const [head = "", ...rest] = text.split(",");
  const [name, main] = cut(head);
  const fault = fullName(name);
  const { parameters } = proxyFault(fault);
  const given = new Map<string, string>();
  if (main !== undefined) given.set(mainParameter(text, fault), main);
  for (const part of rest) {
    const [key, value] = cut(part);
    if (value === undefined) throw textError(text, `${JSON.stringify(part)} is no key=value`);
    if (given.has(key)) throw textError(text, `${key} is there twice`);
    given.set(key, value);
  }
  const take = (key: string): string | undefined => {
    const value = given.get(key);
    given.delete(key);
    return value;
  };
  const atUs = durationUs(text, take("at"));
  const forUs = durationUs(text, take("for"));
  const client = take("client");
  const detail: Record<string, JsonValue> = Object.create(null);
  for (const [key, value] of given) detail[key] = valueOf(parameters[key]?.kind, value);
  return {
    fault,
    detail,
    ...(client !== undefined && { client }),
    ...(atUs !== undefined && { atUs }),
    ...(forUs !== undefined && { forUs }),
  };
}

const PREFIXES = ["link.", "bytes."];

function fullName(name: string): string {
  if (PROXY_FAULTS.has(name)) return name;
  const prefix = PREFIXES.find((known) => PROXY_FAULTS.has(known + name));
  if (prefix !== undefined) return prefix + name;
  const names = [...PROXY_FAULTS.keys()].map((full) => full.slice(full.indexOf(".") + 1));
  throw new FleetrigError("PROXY_FAULT_UNKNOWN", `There is no fault ${JSON.stringify(name)}.`, {
    hint: didYouMean(name, names) ?? `There are ${names.join(", ")}.`,
    context: { fault: name },
    exitCode: EXIT.usage,
  });
}

function cut(part: string): [key: string, value: string | undefined] {
  const at = part.indexOf("=");
  return at < 0 ? [part.trim(), undefined] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function mainParameter(text: string, fault: string): string {
  const main = MAIN_PARAMETERS.get(fault);
  if (main === undefined) throw textError(text, `${fault} takes no value`);
  return main;
}

function durationUs(text: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const us = parseDurationUs(value);
  if (us === undefined) throw textError(text, `${JSON.stringify(value)} is no duration`);
  return us;
}

/** Numbers where the parameter takes numbers; durations, rates and sizes are read with their units later. */
function valueOf(kind: FaultParameterKind | undefined, value: string): JsonValue {
  if (kind === "positions") return value.split("+").map(numberOrText);
  return kind === "count" || kind === "share" || kind === "bytes" ? numberOrText(value) : value;
}

const numberOrText = (value: string): JsonValue =>
  /^\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value;

const textError = (text: string, problem: string): FleetrigError =>
  new FleetrigError("PROXY_FAULT_TEXT", `The fault ${JSON.stringify(text)} cannot be read: ${problem}.`, {
    hint: "Write name=value,key=value, such as latency=100ms,jitter=20ms,at=30s,for=10s.",
    context: { text },
    exitCode: EXIT.usage,
  });

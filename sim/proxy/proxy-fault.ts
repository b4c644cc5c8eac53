import { didYouMean, EXIT, FleetrigError, type JsonObject } from "fleetrig/kernel";
import { readFaultValues } from "../links/fault-parameters.js";
import { LINK_FAULTS } from "../links/faults/table.js";
import type { FaultParameter } from "../links/link-fault.js";
import { BYTE_FAULTS } from "./byte-faults.js";
import { CLIENT_PATTERN_CHARS_MAX } from "./client-pattern.js";

/** What the proxy can do to a connection. */
export interface ProxyFault {
  /** A name of {@link PROXY_FAULTS}, such as `link.latency`. */
  readonly fault: string;
  /** Its parameters, as in the `detail` of a scenario's `inject`. */
  readonly detail?: JsonObject;
  /** Only clients whose identifier matches (`*`, `?`); without it, every connection. */
  readonly client?: string;
  /** How long to wait before it begins, in µs. */
  readonly atUs?: number;
  /** How long it lasts, in µs; without it, until it is cleared. */
  readonly forUs?: number;
}

/** A fault as it is listed: what it does and what it takes. */
export interface ProxyFaultDefinition {
  readonly description: string;
  readonly parameters: Readonly<Record<string, FaultParameter>>;
  /** It looks at packets, so that a raw proxy cannot have it. */
  readonly readsPackets?: boolean;
}

/** Every fault of the proxy by name: those of scenarios, the same objects, and those of a stream of bytes. */
export const PROXY_FAULTS: ReadonlyMap<string, ProxyFaultDefinition> = new Map<string, ProxyFaultDefinition>([
  ...LINK_FAULTS,
  ...BYTE_FAULTS,
]);

/**
 * Refuses a fault that could not be carried out, before anything is.
 * @throws FleetrigError `PROXY_FAULT_UNKNOWN`, `PROXY_NEEDS_PACKETS`, `PROXY_CLIENT_PATTERN`, `LINK_FAULT_PARAMETER`
 */
export function checkProxyFault({ fault, detail = {}, client }: ProxyFault, mode: "mqtt" | "raw"): void {
  const definition = proxyFault(fault);
  readFaultValues(fault, definition.parameters, detail);
  if (mode === "raw" && (definition.readsPackets === true || client !== undefined))
    throw new FleetrigError(
      "PROXY_NEEDS_PACKETS",
      `A raw proxy cannot ${client === undefined ? `carry out ${fault}` : "choose clients by their identifier"}: it does not look at packets.`,
      {
        hint: `Take it out, or let the proxy read MQTT. Without reading there are ${withoutPackets().join(", ")}.`,
        context: { fault },
        exitCode: EXIT.usage,
      },
    );
  if (client !== undefined && (client === "" || client.length > CLIENT_PATTERN_CHARS_MAX))
    throw new FleetrigError(
      "PROXY_CLIENT_PATTERN",
      `A pattern of client identifiers has 1 to ${CLIENT_PATTERN_CHARS_MAX} characters, this one ${client.length}.`,
      { hint: "Write sensor-* or dev-00?.", exitCode: EXIT.usage },
    );
}

const withoutPackets = (): string[] =>
  [...PROXY_FAULTS].filter(([, { readsPackets }]) => readsPackets !== true).map(([name]) => name);

/** @throws FleetrigError `PROXY_FAULT_UNKNOWN` */
export function proxyFault(name: string): ProxyFaultDefinition {
  const definition = PROXY_FAULTS.get(name);
  if (definition !== undefined) return definition;
  const names = [...PROXY_FAULTS.keys()];
  throw new FleetrigError("PROXY_FAULT_UNKNOWN", `There is no fault ${JSON.stringify(name)}.`, {
    hint: didYouMean(name, names) ?? `There are ${names.join(", ")}.`,
    context: { fault: name },
    exitCode: EXIT.usage,
  });
}

import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { CloudServerOptions } from "./cloud-server-options.js";

/** What a server goes by: names and addresses of its certificate, and the one that clients are told. */
export interface ServerNames {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly shown: string;
}

const LOOPBACK = "127.0.0.1";
/** These stand for all addresses of the machine. */
const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** @param machine Addresses at which others reach this machine. */
export function serverNames(
  { host = LOOPBACK, allowedHosts = [] }: CloudServerOptions,
  machine: readonly string[] = machineAddresses(),
): ServerNames {
  const given = allowedHosts.map((name) => name.replace(/:\d{1,5}$/, "").toLowerCase());
  const reached = ANY.has(host) ? machine : [host.toLowerCase()];
  const all = [LOOPBACK, "::1", ...reached, ...given];
  const isLocal = host === LOOPBACK || host === "::1" || host === "localhost";
  return {
    names: Array.from(new Set(["localhost", ...all.filter((name) => isIP(name) === 0)])),
    addresses: Array.from(new Set(all.filter((name) => isIP(name) !== 0))),
    // Boards do not know what this machine calls localhost.
    shown: isLocal ? "localhost" : (given[0] ?? reached[0] ?? "localhost"),
  };
}

/** IPv4 first: it is what boards have. Addresses that mean something on one link only are left out. */
function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  return ["IPv4", "IPv6"].flatMap((family) =>
    outside.filter((one) => one.family === family).map(({ address }) => address),
  );
}

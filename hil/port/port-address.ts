import { FleetrigError } from "fleetrig/kernel";
import type { PortAddress } from "./port.js";

/** `/dev/ttyUSB0`, a by-id or by-path link, or the path of a pty. */
const TTY_PATH = /^\/[^\0\n]{1,1023}$/;
const NETWORK = /^(tcp|rfc2217):\/\/(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;
const HINT = "Write /dev/ttyUSB0 (or another device path), tcp://host:port or rfc2217://host:port.";

/**
 * Reads where a board is: a device path, `tcp://host:port` or `rfc2217://host:port` (IPv6 in brackets).
 * @throws FleetrigError PORT_ADDRESS
 */
export function parsePortAddress(text: string): PortAddress {
  if (TTY_PATH.test(text)) return { kind: "tty", path: text };
  const [, scheme, bracketed, name, digits] = NETWORK.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new FleetrigError(
      "PORT_ADDRESS",
      `${JSON.stringify(text.slice(0, 200))} is no address of a port.`,
      {
        hint: HINT,
        exitCode: 2,
      },
    );
  }
  return { kind: scheme === "tcp" ? "tcp" : "rfc2217", host, port };
}

/** The text that {@link parsePortAddress} reads. */
export function formatPortAddress(address: PortAddress): string {
  if (address.kind === "tty") return address.path;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind}://${host}:${address.port}`;
}

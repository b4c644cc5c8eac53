import type { Clock } from "fleetrig/kernel";
import type { Port, PortAddress, PortOpener, PortOpening } from "./port.js";
import { openRfc2217Port } from "./rfc2217-port.js";
import { openTcpPort } from "./tcp-port.js";
import type { SpareProcesses } from "./spare-processes.js";
import { openTtyPort } from "./tty-port.js";

export interface PortOpenerOptions {
  /** Of the run: what ports stamp bytes with, and time their patience by. */
  readonly clock: Clock;
  /** Token of an exported port, where it asks for one. */
  readonly tokenOf?: (address: PortAddress) => string | undefined;
  /** Default: 3 s. */
  readonly stallUs?: number;
  /** Processes for ttys that are kept ready, so that ports open sooner. */
  readonly spares?: SpareProcesses;
}

/** Opens ports of every kind. */
export function createPortOpener({ clock, tokenOf, stallUs, spares }: PortOpenerOptions): PortOpener {
  const patience = stallUs === undefined ? { clock } : { clock, stallUs };
  const kinds: Readonly<Record<PortAddress["kind"], (opening: PortOpening) => Promise<Port>>> = {
    tty: (opening) => openTtyPort(opening, spares === undefined ? patience : { ...patience, spares }),
    tcp: (opening) => openTcpPort(opening, { ...patience, token: tokenOf?.(opening.address) }),
    rfc2217: (opening) => openRfc2217Port(opening, { ...patience, token: tokenOf?.(opening.address) }),
  };
  return { open: (opening) => kinds[opening.address.kind](opening) };
}

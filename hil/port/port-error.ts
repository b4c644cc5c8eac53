import { FleetrigError } from "fleetrig/kernel";
import { formatPortAddress } from "./port-address.js";
import type { PortAddress } from "./port.js";

interface Cause {
  readonly pattern: RegExp;
  readonly code: string;
  readonly says: string;
  readonly hint: string;
}

/** What the system says, in the words of its libraries, and what it means for a port. The first that fits counts. */
const CAUSES: readonly Cause[] = [
  {
    pattern: /lock port|resource busy|temporarily unavailable|EBUSY/i,
    code: "PORT_BUSY",
    says: "is in use by another program",
    hint: "Close the serial monitor that has it open; `fleetrig board doctor` names the program.",
  },
  {
    pattern: /permission denied|not permitted|EACCES|EPERM/i,
    code: "PORT_PERMISSION",
    says: "may not be opened by this user",
    hint: "Add the user to the group of the device (mostly dialout: `sudo usermod -aG dialout $USER`) and log in again.",
  },
  {
    pattern: /no such (?:file|device)|ENOENT|ENXIO|ENODEV|ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/i,
    code: "PORT_NOT_FOUND",
    says: "is not there",
    hint: "Is the board plugged in, or the server at that address started? `fleetrig board list` shows what is attached.",
  },
  {
    pattern: /inappropriate ioctl|ENOTTY|invalid argument, cannot set/i,
    code: "PORT_LINES_UNSUPPORTED",
    says: "has no modem lines",
    hint: "Virtual terminals and raw TCP have none: reset the board by its power control instead.",
  },
  {
    pattern: /timed out|ETIMEDOUT/i,
    code: "PORT_STALLED",
    says: "did not answer before the system gave it up",
    hint: "The adapter hangs, or the server is not reached. Unplug it, or give the board a power control.",
  },
];

/** @param reason What the system said. */
export function portError(address: PortAddress, reason: string): FleetrigError {
  const name = formatPortAddress(address);
  const cause = CAUSES.find(({ pattern }) => pattern.test(reason));
  const context = { port: name, reason };
  return cause === undefined
    ? new FleetrigError("PORT_FAILED", `Port ${name} failed: ${reason}.`, {
        hint: "`fleetrig board doctor` looks for the usual reasons.",
        context,
      })
    : new FleetrigError(cause.code, `Port ${name} ${cause.says}.`, { hint: cause.hint, context });
}

/** It was there, and went away. */
export const portGone = (address: PortAddress, reason: string): FleetrigError =>
  new FleetrigError("PORT_NOT_FOUND", `Port ${formatPortAddress(address)} is gone.`, {
    hint: "Unplugged, without power, or restarted: its adapter comes back under this or another name.",
    context: { port: formatPortAddress(address), reason },
  });

export const portStalled = (address: PortAddress, what: string): FleetrigError =>
  new FleetrigError("PORT_STALLED", `Port ${formatPortAddress(address)} did not answer: ${what}.`, {
    hint: "The USB driver or the adapter hangs. Unplug it, or give the board a power control.",
    context: { port: formatPortAddress(address) },
  });

export const portClosed = (address: PortAddress): FleetrigError =>
  new FleetrigError("PORT_CLOSED", `Port ${formatPortAddress(address)} is closed.`, {
    hint: "Open it again.",
    context: { port: formatPortAddress(address) },
  });

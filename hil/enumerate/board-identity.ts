import type { PortAddress } from "../port/port.js";
import { formatPortAddress } from "../port/port-address.js";
import type { AttachedPort } from "./attached-port.js";

/** What is known of a board at the moment. Each new fact can only make its identity better. */
export interface IdentityEvidence {
  /** MAC of its hello. */
  readonly helloMac?: string | undefined;
  /** MAC that its ROM read from the fuses. */
  readonly romMac?: string | undefined;
  /** Where it is attached, when it is at this machine. */
  readonly port?: AttachedPort | undefined;
  readonly address: PortAddress;
}

/** Where an identity is from, the surest first. */
export type IdentitySource = "hello" | "efuse" | "usb-serial" | "registry" | "usb-path" | "address";

/** Who a board is, whatever its port is called today. */
export interface BoardIdentity {
  /** The same for the same board: leases, learned resets and caches of images go by it. */
  readonly key: string;
  readonly source: IdentitySource;
  /** 12 lower-case hexadecimal digits. */
  readonly mac: string | undefined;
  /** Another source names another MAC: it may be the wrong board, and must not be flashed. */
  readonly conflict: { readonly source: IdentitySource; readonly mac: string } | undefined;
}

const MAC = /^[0-9a-f]{2}(?:([:-]?)[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/;
/** What empty fuses and careless firmware say. */
const NO_MAC = new Set(["000000000000", "ffffffffffff"]);

/** @returns 12 lower-case hexadecimal digits; undefined when it is no MAC of a board */
export function normalMac(text: string | undefined): string | undefined {
  const lower = text?.toLowerCase() ?? "";
  if (!MAC.test(lower)) return undefined;
  const digits = lower.replaceAll(/[:-]/g, "");
  return NO_MAC.has(digits) ? undefined : digits;
}

/** As people read it: `7c:df:a1:00:11:22`. */
export const shownMac = (mac: string): string => mac.match(/../g)?.join(":") ?? mac;

/** The board of a `BoardIdentity.key` as people know it: by its MAC, or where it is. */
export const shownKey = (key: string): string => {
  const at = key.indexOf(":");
  const value = key.slice(at + 1);
  return key.slice(0, at) === "mac" ? shownMac(value) : value;
};

/** The surest of what is known: hello, fuses, a USB serial number that is the MAC, the registry of virtual boards, the USB socket, the address. */
export function resolveIdentity({ helloMac, romMac, port, address }: IdentityEvidence): BoardIdentity {
  const usbMac = port?.adapter.hasMacSerial === true ? normalMac(port.usb?.serial) : undefined;
  const known = (
    [
      ["hello", normalMac(helloMac)],
      ["efuse", normalMac(romMac)],
      ["usb-serial", usbMac],
      ["registry", port?.virtual?.mac],
    ] as const
  ).flatMap(([source, mac]) => (mac === undefined ? [] : [{ source, mac }]));
  const [best] = known;
  if (best !== undefined) {
    const conflict = known.find(({ mac }) => mac !== best.mac);
    return { key: `mac:${best.mac}`, source: best.source, mac: best.mac, conflict };
  }
  const nameless = { mac: undefined, conflict: undefined };
  if (port?.usb === undefined)
    return { key: `address:${formatPortAddress(address)}`, source: "address", ...nameless };
  const { path, interface: number, portNumber } = port.usb;
  const suffix = portNumber === undefined ? "" : `.${portNumber}`;
  return { key: `usb:${path}:${number}${suffix}`, source: "usb-path", ...nameless };
}

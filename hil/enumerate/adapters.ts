import type { ModemLines } from "../port/port.js";
import type { DownloadSequenceName, ResetSequenceName } from "../reset/sequences.js";

/** How a board hangs at its port, which decides what the lines do. */
export type AdapterKind =
  /** A USB UART whose DTR and RTS drive EN and IO0. */
  | "uart-bridge"
  /** USB-Serial-JTAG of the chip itself. */
  | "usb-jtag"
  /** USB-OTG of the chip: its ROM, or an application's own USB stack. */
  | "usb-otg"
  /** A UART of this machine; mostly no lines are wired. */
  | "uart"
  /** A board that fleetrig runs. */
  | "virtual"
  /** Over TCP or RFC 2217. */
  | "network";

/** What is known about an adapter. */
export interface Adapter {
  readonly kind: AdapterKind;
  readonly name: string;
  /** Its serial number is the board's MAC. */
  readonly hasMacSerial: boolean;
  /** Its serial number tells two of them apart. */
  readonly hasUniqueSerial: boolean;
  /** Of adapters with several ports, the one with the board's console. */
  readonly consolePort?: number;
}

interface KindPolicy {
  /** Lines at rest. One asserted alone would hold a pin low. */
  readonly idle: ModemLines;
  /** In the order in which they are tried. */
  readonly reset: readonly ResetSequenceName[];
  readonly download: readonly DownloadSequenceName[];
}

const RELEASED: ModemLines = { dtr: false, rts: false };
/** As the kernel leaves them on opening, so nothing moves; applications with their own USB take DTR for "somebody listens". */
const ASSERTED: ModemLines = { dtr: true, rts: true };

export const KIND_POLICIES: Readonly<Record<AdapterKind, KindPolicy>> = {
  "uart-bridge": { idle: RELEASED, reset: ["hard"], download: ["tight", "classic", "classic-slow"] },
  "usb-jtag": { idle: ASSERTED, reset: ["hard-usb"], download: ["usb-jtag"] },
  "usb-otg": { idle: ASSERTED, reset: ["hard-usb"], download: ["usb-jtag", "classic"] },
  uart: { idle: RELEASED, reset: ["hard"], download: ["classic", "classic-slow"] },
  virtual: { idle: RELEASED, reset: [], download: [] },
  network: { idle: RELEASED, reset: ["hard"], download: ["tight", "classic", "classic-slow"] },
};

type Row = readonly [vendor: string, product: string, name: string, traits?: Partial<Adapter>];

const NO_SERIAL = { hasUniqueSerial: false };

/** By vendor and product, four hexadecimal digits each. */
const ADAPTERS: readonly Row[] = [
  ["303a", "1001", "USB-Serial-JTAG", { kind: "usb-jtag", hasMacSerial: true }],
  ["303a", "0002", "ESP32-S2 ROM", { kind: "usb-otg" }],
  ["303a", "0009", "ESP32-S3 ROM", { kind: "usb-otg" }],
  ["303a", "0012", "ESP32-P4 ROM", { kind: "usb-otg" }],
  ["303a", "1002", "ESP USB bridge"],
  ["10c4", "ea60", "CP210x", NO_SERIAL],
  ["10c4", "ea70", "CP2105"],
  ["10c4", "ea71", "CP2108"],
  ["1a86", "7523", "CH340", NO_SERIAL],
  ["1a86", "7522", "CH340K", NO_SERIAL],
  ["1a86", "5523", "CH341", NO_SERIAL],
  ["1a86", "55d3", "CH343"],
  ["1a86", "55d4", "CH9102"],
  ["0403", "6001", "FT232R"],
  ["0403", "6010", "FT2232H", { consolePort: 1 }],
  ["0403", "6011", "FT4232H"],
  ["0403", "6014", "FT232H"],
  ["0403", "6015", "FT231X"],
  ["067b", "2303", "PL2303", NO_SERIAL],
  ["2341", "0070", "Arduino Nano ESP32", { kind: "usb-otg" }],
];

const ESPRESSIF = "303a";
const KNOWN = new Map(ADAPTERS.map((row) => [`${row[0]}:${row[1]}`, row]));

/** Is it a USB device that boards are attached by? */
export const isKnownAdapter = (vendorId: string, productId: string): boolean =>
  KNOWN.has(`${vendorId}:${productId}`) || vendorId === ESPRESSIF;

export interface UsbIds {
  readonly vendorId: string;
  readonly productId: string;
  readonly driver: string | undefined;
  readonly product: string | undefined;
}

/** Unknown ones are taken for what their driver says: a modem of its own, or a bridge. */
export function adapterOf({ vendorId, productId, driver, product }: UsbIds): Adapter {
  const [, , name, traits] = KNOWN.get(`${vendorId}:${productId}`) ?? [];
  if (name !== undefined) {
    return { kind: "uart-bridge", name, hasMacSerial: false, hasUniqueSerial: true, ...traits };
  }
  const isChip = vendorId === ESPRESSIF;
  return {
    kind: isChip || driver === "cdc_acm" ? "usb-otg" : "uart-bridge",
    name: product ?? (isChip ? "Espressif USB" : `USB ${vendorId}:${productId}`),
    hasMacSerial: false,
    hasUniqueSerial: false,
  };
}

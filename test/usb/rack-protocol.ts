import type { ModemLines, UsbTrouble } from "fleetrig/hil";

/** What the program in the guest asks of the rack: one JSON text a line, answered in order. */
export type RackRequest =
  /** Pulls a device's cable, or puts it in. */
  | { readonly op: "plug"; readonly bus: string; readonly in: boolean }
  | { readonly op: "trouble"; readonly bus: string; readonly trouble: UsbTrouble | null }
  /** What a device has seen since it was asked the last time. */
  | { readonly op: "seen"; readonly bus: string }
  /** Bytes of a chip's flash, in hexadecimal. */
  | { readonly op: "flash"; readonly bus: string; readonly offset: number; readonly lengthBytes: number };

export interface Seen {
  /** Each request for the lines. */
  readonly lines: readonly ModemLines[];
  readonly bauds: readonly number[];
  /** `off`, `held`, `download`, `application`, or `no-image`. */
  readonly state: string;
}

export type RackAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** A board of the rack. */
export interface RackBoard {
  readonly bus: string;
  readonly mac: string;
}

/** What is on the rack: two of each that cannot be told apart by their serial numbers, and two that can. */
export const BOARDS = {
  /** USB-Serial-JTAG that leaves the bus at each reset; runs the firmware. */
  jtag: { bus: "1-1", mac: "7cdfa1001101" },
  /** USB-Serial-JTAG that stays on the bus; a chip with a boot loader. */
  jtagChip: { bus: "1-2", mac: "7cdfa1001102" },
  /** CP2102 `0001`, runs the firmware. */
  cp2102: { bus: "1-3", mac: "7cdfa1001103" },
  /** CP2102 `0001`; a chip with a boot loader. */
  cp2102Chip: { bus: "1-4", mac: "7cdfa1001104" },
  ch340: { bus: "1-5", mac: "7cdfa1001105" },
  ch340Other: { bus: "1-6", mac: "7cdfa1001106" },
} as const satisfies Record<string, RackBoard>;
export type BoardName = keyof typeof BOARDS;

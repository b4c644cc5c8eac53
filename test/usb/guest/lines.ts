import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type FlashLine,
  NO_POWER,
  openFlashLine,
  openTtyPort,
  provenBoot,
  ResetEngine,
  VolatileResetMemory,
} from "fleetrig/hil";
import { BOARDS, type BoardName } from "../rack-protocol.js";
import { type BenchTop, type Check, PATIENT_US } from "./bench-top.js";

const CHIPS = ["cp2102Chip", "ch340", "jtagChip"] as const;

/** A board's line with resets that its own boot text proves. */
export async function openLine(top: BenchTop, board: BoardName): Promise<FlashLine> {
  const { address, adapter } = top.port(board);
  const opener = {
    open: (opening: Parameters<typeof openTtyPort>[0]) =>
      openTtyPort(opening, { clock: top.clock, stallUs: PATIENT_US, spares: top.spares }),
  };
  return openFlashLine(opener, { address, baud: 115_200 }, (port, listen) =>
    provenBoot(
      new ResetEngine({
        clock: top.clock,
        adapter: adapter.kind,
        key: board,
        port: () => port,
        power: NO_POWER,
        memory: new VolatileResetMemory(),
        proofUs: PATIENT_US / 4,
      }),
      listen,
    ),
  );
}

const TRAIN = [
  { dtr: false, rts: true },
  { dtr: true, rts: false },
  { dtr: false, rts: false },
  { dtr: true, rts: true },
];

export const LINES: readonly Check[] = [
  ...CHIPS.map(
    (board): Check => [
      `both lines of ${board} change in one control transfer each`,
      async (top) => {
        const { bus } = BOARDS[board];
        await top.rack.seen(bus);
        const line = await openLine(top, board);
        try {
          const atOpen = await top.rack.seen(bus);
          // Drivers assert both, ours releases both: never one without the other, which would hold a pin low.
          ok(
            atOpen.lines.length > 0 && atOpen.lines.every(({ dtr, rts }) => dtr === rts),
            JSON.stringify(atOpen),
          );
          for (const lines of TRAIN) await line.port.setLines(lines);
          deepStrictEqual((await top.rack.seen(bus)).lines, TRAIN);
          await line.port.setBaud(921_600);
          const [baud = 0] = (await top.rack.seen(bus)).bauds.slice(-1);
          ok(Math.abs(baud / 921_600 - 1) < 0.01, `${baud}`);
        } finally {
          await line.port.close();
        }
      },
    ],
  ),
  ...CHIPS.map(
    (board): Check => [
      `${board} goes into its loader and back, and its boot text proves it`,
      async (top) => {
        const { bus } = BOARDS[board];
        const line = await openLine(top, board);
        try {
          const sinceUs = top.clock.nowUs();
          await line.boot.enterDownload();
          top.figure(
            `reset of ${board} into its loader, with proof`,
            (top.clock.nowUs() - sinceUs) / 1000,
            "ms",
          );
          strictEqual((await top.rack.seen(bus)).state, "download");
          await line.boot.startApplication();
          strictEqual((await top.rack.seen(bus)).state, "application");
        } finally {
          await line.port.close();
        }
      },
    ],
  ),
  [
    "a CP2102 runs at 76800 baud when it is asked for 74880, a USB-Serial-JTAG at what it is asked for",
    async (top) => {
      for (const [board, baud] of [
        ["cp2102Chip", 76_800],
        ["jtagChip", 74_880],
      ] as const) {
        const line = await openLine(top, board);
        await line.port.setBaud(74_880).finally(() => line.port.close());
        ok((await top.rack.seen(BOARDS[board].bus)).bauds.includes(baud), `${board} ${baud}`);
      }
    },
  ],
];

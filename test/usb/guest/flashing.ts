import { rejects, strictEqual } from "node:assert/strict";
import { flashBoard } from "fleetrig/hil";
import { BOARDS } from "../rack-protocol.js";
import type { BenchTop, Check } from "./bench-top.js";
import { openLine } from "./lines.js";

const OFFSET = 0x10000;
const IMAGE_BYTES = 64 * 1024;

/** Bytes that do not compress to nothing. */
const image = (): Uint8Array =>
  Uint8Array.from({ length: IMAGE_BYTES }, (_, at) => (at * at * 31 + (at >>> 7)) & 0xff);

const flashAt = (top: BenchTop, bus: string, lengthBytes: number): Promise<unknown> =>
  top.rack.ask({ op: "flash", bus, offset: OFFSET, lengthBytes });

export const FLASHING: readonly Check[] = [
  [
    "the wrong board is not flashed: the one at this port has another MAC",
    async (top) => {
      const line = await openLine(top, "cp2102Chip");
      try {
        const flashing = flashBoard({
          open: async () => line,
          clock: top.clock,
          images: [{ offset: OFFSET, bytes: image(), kind: "data" }],
          expect: { mac: BOARDS.cp2102.mac },
        });
        await rejects(flashing, { code: "FLASH_WRONG_BOARD" });
        strictEqual(await flashAt(top, BOARDS.cp2102Chip.bus, 16), "ff".repeat(16));
        strictEqual((await top.rack.seen(BOARDS.cp2102Chip.bus)).state, "application");
      } finally {
        await line.port.close();
      }
    },
  ],
  ...(["cp2102Chip", "jtagChip"] as const).map(
    (board): Check => [
      `${board} is flashed through its driver, and what is in its flash is what was sent`,
      async (top) => {
        const { bus, mac } = BOARDS[board];
        const line = await openLine(top, board);
        try {
          const bytes = image();
          const outcome = await flashBoard({
            open: async () => line,
            clock: top.clock,
            images: [{ offset: OFFSET, bytes, kind: "data" }],
            expect: { mac, chip: "esp32c3" },
          });
          top.figure(`flashing 64 KiB on ${top.port(board).path}`, outcome.tookUs / 1000, "ms");
          strictEqual(outcome.writtenBytes, IMAGE_BYTES);
          strictEqual(await flashAt(top, bus, IMAGE_BYTES), Buffer.from(bytes).toString("hex"));
          strictEqual((await top.rack.seen(bus)).state, "application");
        } finally {
          await line.port.close();
        }
      },
    ],
  ),
];

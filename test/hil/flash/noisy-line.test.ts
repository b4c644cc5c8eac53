import { flashBoard, type FlashLine, openFlashLine, type PortOpener } from "fleetrig/hil";
import { Random } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { FlashRig, linesBoot, someBytes } from "./rig.js";

const image = { offset: 0x10000, bytes: someBytes(100 * 1024), kind: "data" as const };

/** A line on which bytes of the board are damaged, lost and made up. */
function noisy(rig: FlashRig, random: Random, errorRate: number): () => Promise<FlashLine> {
  const damage = (bytes: Uint8Array): Uint8Array => {
    const heard: number[] = [];
    for (const byte of bytes) {
      if (!random.chance(errorRate)) heard.push(byte);
      else if (random.chance(0.5)) heard.push(random.below(256), ...(random.chance(0.5) ? [byte] : []));
    }
    return Uint8Array.from(heard);
  };
  const opener: PortOpener = {
    open: (opening) => {
      const { receiver } = opening;
      const received = (bytes: Uint8Array, atUs: number): void => receiver.received(damage(bytes), atUs);
      return rig.socket.open({ ...opening, receiver: { received, closed: (end) => receiver.closed(end) } });
    },
  };
  const opening = { address: { kind: "tty", path: "/dev/ttyUSB0" }, baud: 115_200 } as const;
  return () => openFlashLine(opener, opening, linesBoot(rig.clock));
}

describe("flashing over a noisy line", () => {
  it.each(Array.from({ length: 30 }, (_, at) => at))(
    "ends with the image on the board or an error that says so, never otherwise (%i)",
    async (story) => {
      const random = Random.seeded(`noise/${story}`);
      const rig = new FlashRig();
      const open = noisy(rig, random, story % 2 === 0 ? 0.001 : 0.05);
      const ended = rig
        .settle(flashBoard({ open, clock: rig.clock, images: [image] }))
        .catch((error: unknown) => error);
      const outcome = await ended;
      const there = Buffer.from(rig.flash.bytes.subarray(image.offset, image.offset + image.bytes.length));
      if (outcome instanceof Error)
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^(FLASH|BOARD)_/) });
      else expect(there.equals(image.bytes)).toBe(true);
    },
  );
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flashBoard, ImageCache } from "fleetrig/hil";
import { lacksCompiler } from "../rigs.js";
import { NativeRig } from "../hil/flash/native-rig.js";
import { someBytes } from "../hil/flash/rig.js";
import type { BenchCase } from "./bench-case.js";

const IMAGE_BYTES = 200 * 1024;
const ROUNDS = 7;

const flashing: BenchCase = {
  name: "hil-flash",
  description: "200 KiB onto a virtual ESP32-C3 through the native serial library, from reset to reset",
  skipped: () => (lacksCompiler ? "no C compiler for the modem lines" : undefined),
  async run() {
    const rig = new NativeRig();
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-bench-"));
    const cache = new ImageCache(join(folder, "flashed.json"));
    try {
      await rig.start();
      const line = await rig.open();
      const timesS: number[] = [];
      let currentS = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const images = [{ offset: 0x10000, bytes: someBytes(IMAGE_BYTES, round + 1), kind: "data" as const }];
        const options = { open: async () => line, clock: rig.clock, images, cache };
        timesS.push((await flashBoard(options)).tookUs / 1e6);
        currentS = (await flashBoard(options)).tookUs / 1e6;
      }
      await line.port.close();
      timesS.sort((a, b) => a - b);
      return [
        { name: "flash and verify, median", value: timesS[ROUNDS >> 1]!, unit: "s", most: 1 },
        { name: "flash and verify, slowest", value: timesS.at(-1)!, unit: "s" },
        { name: "the same images again", value: currentS, unit: "s" },
      ];
    } finally {
      rig.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export const HIL_FLASH_CASES: readonly BenchCase[] = [flashing];

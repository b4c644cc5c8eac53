import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import type { Clock } from "fleetrig/kernel";
import type { PowerHost } from "./power-control.js";

const RUN_MS = 15_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

/** Programs and files of this machine. */
export const hostPower = (clock: Clock): PowerHost => ({
  clock,
  run: (program, args) =>
    new Promise((resolve, reject) => {
      const limits = { timeout: RUN_MS, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT_BYTES } as const;
      execFile(program, [...args], limits, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(
            Object.assign(error, { message: `${error.message.split("\n")[0]} ${stderr.trim()}`.trim() }),
          );
      });
    }),
  write: (path, text) => writeFile(path, text, { flag: "r+" }),
});

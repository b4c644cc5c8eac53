import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folderOf = (path: string): string =>
  fileURLToPath(new URL(path, import.meta.url.replace("/dist/test/", "/test/")));
export const FIRMWARE = folderOf("../../../hil/firmware/");
const DRIVER = folderOf("./platform-driver.c");

/** The platform's code on flash in memory, under sanitizers: a command per line, an answer per line (platform-driver.c). */
export class PlatformDriver {
  private readonly folder = mkdtempSync(join(tmpdir(), "fleetrig-platform-"));
  private readonly program = join(this.folder, "driver");

  constructor() {
    const sources = ["boot", "boot_slots", "cobs", "crc32", "outbox", "sha256", "storage"].map((name) =>
      join(FIRMWARE, "src/platform", `${name}.c`),
    );
    const flags =
      "-std=c11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all";
    const includes = [`-I${join(FIRMWARE, "include")}`, `-I${join(FIRMWARE, "src/platform")}`];
    execFileSync("gcc", [...flags.split(" "), ...includes, "-o", this.program, DRIVER, ...sources]);
  }

  /** The answers, in the order of the commands; fails on what a sanitizer finds. */
  run(commands: readonly string[]): string[] {
    const { stdout, stderr, status } = spawnSync(this.program, {
      input: `${commands.join("\n")}\n`,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`the driver ended with ${status}: ${stderr.slice(0, 2_000)}`);
    const answers = stdout.split("\n").slice(0, -1);
    if (answers.length !== commands.length)
      throw new Error(`${commands.length} commands got ${answers.length} answers`);
    return answers;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OPENSSL = "/usr/bin/openssl";

/** OpenSSL's command in a folder of its own: the other side's opinion on everything here. */
export class OpenSsl {
  readonly folder = mkdtempSync(join(tmpdir(), "fleetrig-pki-"));

  /** Runs `openssl <line>`, arguments separated by spaces, and gives what it prints. */
  run(line: string, more: readonly string[] = []): string {
    return execFileSync(OPENSSL, [...line.split(" "), ...more], {
      cwd: this.folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  readBytes(name: string): Buffer {
    return readFileSync(join(this.folder, name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const EC_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem";

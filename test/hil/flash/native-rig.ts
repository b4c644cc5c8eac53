import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ChipTty,
  type ChipName,
  type FlashLine,
  MemoryFlash,
  openFlashLine,
  openTtyPort,
} from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { linesBoot } from "./rig.js";

const SOURCE = fileURLToPath(
  new URL("../../../test/hil/flash/modem-lines.c", import.meta.url.replace("/dist/", "/")),
);
const COMPILER = "/usr/bin/cc";

/** A virtual chip on a tty that is opened by the native serial library, with the modem lines that a tty of USB would have. */
export class NativeRig {
  readonly time = new RealTime();
  readonly clock = this.time.lane(0);
  readonly flash = new MemoryFlash(2 ** 22);
  readonly tty: ChipTty;
  private readonly folder = mkdtempSync(join(tmpdir(), "fleetrig-modem-"));
  private readonly server: Server;

  constructor(chip: ChipName = "esp32c3") {
    this.tty = new ChipTty({
      chip,
      mac: "7cdfa1001122",
      flash: this.flash,
      clock: this.clock,
      isBootable: () => true,
    });
    this.server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes) => {
        for (let at = 0; at + 1 < bytes.length; at += 2) {
          this.tty.chip.setLines({ dtr: bytes[at] === 1, rts: bytes[at + 1] === 1 });
          socket.write(Uint8Array.of(1));
        }
      });
    });
  }

  /** Compiles what gives pseudo terminals their lines; processes started from now on have it. */
  async start(): Promise<void> {
    const shim = join(this.folder, "modem-lines.so");
    const socket = join(this.folder, "lines.sock");
    execFileSync(COMPILER, ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", shim, SOURCE]);
    await new Promise<void>((resolve) => this.server.listen(socket, resolve));
    process.env["LD_PRELOAD"] = shim;
    process.env["FLEETRIG_MODEM_LINES"] = socket;
    this.tty.plug();
    this.tty.chip.powerOn();
  }

  readonly open = async (): Promise<FlashLine> =>
    await openFlashLine(
      { open: (opening) => openTtyPort(opening, { clock: this.clock }) },
      { address: { kind: "tty", path: this.tty.path! }, baud: 115_200 },
      linesBoot(this.clock),
    );

  stop(): void {
    delete process.env["LD_PRELOAD"];
    delete process.env["FLEETRIG_MODEM_LINES"];
    this.tty.unplug();
    this.server.close();
    this.time.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

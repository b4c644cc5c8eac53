import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { FleetrigError } from "fleetrig/kernel";
import type { ModemLines } from "./port.js";

/**
 * Sets modem lines where the serial library cannot: it ends a break with each request, and Linux's cdc-acm refuses that for devices that know no
 * break, such as an ESP32's own USB (serialport/node-serialport#2777). Node has no ioctl of its own, so an interpreter that every Linux has makes the one
 * request. [Linux ioctl_tty(2): TIOCMGET 0x5415, TIOCMSET 0x5418, TIOCM_DTR 2, TIOCM_RTS 4]
 */
const PERL = `
$| = 1;
open(my $tty, "+<&=", 3) or exit 1;
print "ready\\n";
while (<STDIN>) {
  my $bits = pack("i", 0);
  my $done = ioctl($tty, 0x5415, $bits);
  if ($done) { $bits = pack("i", (unpack("i", $bits) & ~6) | int($_)); $done = ioctl($tty, 0x5418, $bits); }
  print $done ? "done\\n" : "$!\\n";
}`;
const PYTHON = `
import fcntl, struct, sys
print("ready", flush=True)
for line in sys.stdin:
    try:
        bits, = struct.unpack("i", fcntl.ioctl(3, 0x5415, bytes(4)))
        fcntl.ioctl(3, 0x5418, struct.pack("i", bits & ~6 | int(line)))
        print("done", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)`;
const INTERPRETERS = [
  ["perl", "-e", PERL],
  ["python3", "-c", PYTHON],
] as const;

/** Another process with the same device. It ends with this one. */
export class LineSetter {
  private readonly waiting: ((answer: string) => void)[] = [];

  private constructor(private readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on("line", (line) => this.waiting.shift()?.(line));
    child.stdin!.on("error", () => undefined);
    const ended = (): void => {
      for (const answer of this.waiting.splice(0)) answer("its helper has ended");
    };
    child.once("error", ended);
    child.once("exit", ended);
  }

  /** @param fd The open device. @returns undefined where there is no interpreter */
  static async start(fd: number): Promise<LineSetter | undefined> {
    for (const [program, flag, script] of INTERPRETERS) {
      const setter = new LineSetter(
        spawn(program, [flag, script], { stdio: ["pipe", "pipe", "ignore", fd] }),
      );
      if ((await setter.answer()) === "ready") return setter;
    }
    return undefined;
  }

  /** @throws FleetrigError PORT_LINES_UNSUPPORTED with the system's words (rejection) */
  async set({ dtr, rts }: ModemLines): Promise<void> {
    const answer = this.answer();
    this.child.stdin!.write(`${(dtr ? 2 : 0) | (rts ? 4 : 0)}\n`);
    const text = await answer;
    if (text !== "done")
      throw new FleetrigError("PORT_LINES_UNSUPPORTED", text, {
        hint: "The device takes no modem lines: reset the board by its power control instead.",
      });
  }

  stop(): void {
    this.child.stdin!.end();
  }

  private answer(): Promise<string> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

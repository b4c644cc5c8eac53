import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openTtyPort, type TtyPort } from "fleetrig/hil";
import { hostNowUs, hostYield, RealTime } from "fleetrig/kernel";
import { lacksCompiler, lacksSocat } from "../rigs.js";
import { Listener, openTerminal, type Terminal } from "../hil/port/terminal.js";
import type { BenchCase, Figure } from "./bench-case.js";

const WEDGED = 4;
const PHASE_US = 5_000_000;
const PACE_MS = 2;
const US_PER_MS = 1_000;

interface Phase {
  readonly echoesUs: number[];
  readonly filesUs: number[];
}

/** Round trips over one port, and reads of a file, which share Node's threads with whatever blocks in this process. */
async function measure(port: TtyPort, heard: { waiting: (() => void) | undefined }): Promise<Phase> {
  const phase: Phase = { echoesUs: [], filesUs: [] };
  const endUs = hostNowUs() + PHASE_US;
  while (hostNowUs() < endUs) {
    const sentUs = hostNowUs();
    await new Promise<void>((resolve) => {
      heard.waiting = resolve;
      port.write(Buffer.from("x"));
    });
    phase.echoesUs.push(hostNowUs() - sentUs);
    const readUs = hostNowUs();
    await readFile("/proc/self/stat");
    phase.filesUs.push(hostNowUs() - readUs);
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  return phase;
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

async function run(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-wedge-"));
  const shim = join(folder, "modem-shim.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O2", resolve("test/hil/port/modem-shim.c"), "-o", shim, "-ldl"]);
  const time = new RealTime();
  const clock = time.lane(0);
  const terminals: Terminal[] = [];
  const open = async (terminal: Terminal, receiver: Listener): Promise<TtyPort> => {
    terminals.push(terminal);
    const address = { kind: "tty", path: terminal.path } as const;
    return openTtyPort({ address, baud: 115_200, receiver }, { clock });
  };
  const heard: { waiting: (() => void) | undefined } = { waiting: undefined };
  const listener = new Listener();
  listener.received = () => heard.waiting?.();
  const echo: Terminal = await openTerminal((bytes) => echo.send(bytes));
  const port = await open(echo, listener);
  Object.assign(process.env, { LD_PRELOAD: shim, MODEM_SHIM_WEDGE: "1" });
  const others: { readonly port: TtyPort; readonly listener: Listener }[] = [];
  for (let index = 0; index < WEDGED; index += 1) {
    const listener = new Listener();
    others.push({ port: await open(await openTerminal(), listener), listener });
  }
  for (const name of ["LD_PRELOAD", "MODEM_SHIM_WEDGE"]) delete process.env[name];

  await measure(port, heard);
  const healthy = await measure(port, heard);
  const wedged = others.map((other) => other.port.setLines({ dtr: false, rts: true }).catch(() => {}));
  const stalled = await measure(port, heard);
  await Promise.all(wedged);
  const givenUp = others.filter((other) => other.listener.end === "stalled").length;
  await port.close();
  await hostYield();
  await Promise.all(terminals.map((terminal) => terminal.tear()));
  time.stop();
  rmSync(folder, { recursive: true });

  const before = percentile(healthy.echoesUs, 0.99) / US_PER_MS;
  const during = percentile(stalled.echoesUs, 0.99) / US_PER_MS;
  return [
    { name: "echo p50, others healthy", value: percentile(healthy.echoesUs, 0.5) / US_PER_MS, unit: "ms" },
    { name: "echo p99, others healthy", value: before, unit: "ms" },
    { name: `echo p99, ${WEDGED} others wedged`, value: during, unit: "ms" },
    { name: "moved by", value: during - before, unit: "ms", most: 5 },
    {
      name: "file read p99, others wedged",
      value: percentile(stalled.filesUs, 0.99) / US_PER_MS,
      unit: "ms",
    },
    { name: "wedged ports given up", value: givenUp, unit: "", least: WEDGED },
  ];
}

export const HIL_WEDGE_CASE: BenchCase = {
  name: "hil-wedge",
  description: `what ${WEDGED} serial drivers that never answer do to another port and to this process`,
  deadlineMs: 120_000,
  skipped: () => (lacksSocat || lacksCompiler ? "needs socat and cc" : undefined),
  run,
};

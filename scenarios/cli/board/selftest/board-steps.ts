import { shownMac } from "fleetrig/hil";
import { FleetrigError, formatDurationUs } from "fleetrig/kernel";
import {
  failed,
  nextStart,
  passed,
  quantile,
  type SelftestBench,
  type SelftestStep,
  skipped,
  type StepOutcome,
} from "./selftest-step.js";

const RESETS = 10;
const STORED_KEY = "selftest";
const PANIC_US = 5_000_000;
/** A panic is told within 100 ms of its first byte. */
const MAX_NOTICED_US = 100_000;

async function identity({ board, terminal }: SelftestBench): Promise<StepOutcome> {
  const { port } = board;
  const { source, mac, conflict } = terminal.identity;
  const where = port.usb === undefined ? port.path : `${port.path} at USB ${port.usb.path}`;
  const who = mac === undefined ? "nobody says who it is" : `${shownMac(mac)} (by ${source})`;
  const figures = { port: port.path, adapter: port.adapter.name, source, ...(mac !== undefined && { mac }) };
  if (conflict !== undefined)
    return failed(`${who}, and its ${conflict.source} says ${shownMac(conflict.mac)}`, figures);
  return passed(`${port.adapter.name} ${where}: ${who}`, figures);
}

async function hello({ terminal }: SelftestBench): Promise<StepOutcome> {
  const said = await terminal.converse();
  if (said === undefined)
    return failed("none: the board does not run fleetrig's reference firmware, or its line is silent");
  const { fw, version, build, chip, mac, caps, boots } = said;
  const figures = { firmware: fw, version, build, chip, mac, boots, caps };
  return passed(`${fw} ${version} on ${chip}, ${shownMac(mac)}; can ${caps.join(", ")}`, figures);
}

async function resets(bench: SelftestBench): Promise<StepOutcome> {
  const { terminal, clock } = bench;
  const speaks = terminal.link.isOpen;
  const startsUs: number[] = [];
  const methods = new Set<string>();
  for (let number = 1; number <= RESETS; number += 1) {
    const before = terminal.link.hello;
    const sinceUs = clock.nowUs();
    try {
      methods.add((await terminal.reset("run")).method);
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      const { attempts } = error.context;
      if (Array.isArray(attempts) && attempts.length === 0) return skipped("nothing can restart this board");
      return failed(`reset ${number} of ${RESETS}: ${error.sentence} ${error.hint ?? ""}`.trimEnd());
    }
    if (speaks && (await nextStart(bench, before)) === undefined)
      return failed(`no hello after reset ${number} of ${RESETS}`);
    startsUs.push(clock.nowUs() - sinceUs);
  }
  const [p50Us, maxUs] = [quantile(startsUs, 0.5), Math.max(...startsUs)];
  const figures = { resets: RESETS, methods: [...methods], p50Us, maxUs };
  const until = speaks ? "to its session" : "to the proof";
  return passed(
    `${RESETS} of ${RESETS} proven by ${[...methods].join(", ")}; ${until} p50 ${formatDurationUs(p50Us)}, at most ${formatDurationUs(maxUs)}`,
    figures,
  );
}

async function crash(bench: SelftestBench): Promise<StepOutcome> {
  const { terminal, panics, mayCrash } = bench;
  if (!mayCrash) return skipped("--no-crash");
  const before = terminal.link.hello;
  const earlier = panics.length;
  // The board restarts instead of answering.
  terminal.link.command("crash", { kind: "abort" }).catch(() => undefined);
  const isTold = await terminal.until(() => panics.length > earlier, PANIC_US);
  const after = await nextStart(bench, before);
  const panic = panics[earlier];
  if (!isTold || panic === undefined) return failed("the board was told to abort, and no panic was seen");
  if (after === undefined) return failed(`${panic.report.kind}, and the board did not come back`);
  const noticedUs = Math.max(panic.report.noticedUs, 0);
  const text = `${panic.report.kind} noticed ${formatDurationUs(noticedUs)} after its first byte; it restarted: ${after.reset}`;
  const figures = { kind: panic.report.kind, noticedUs, reset: after.reset };
  return noticedUs <= MAX_NOTICED_US ? passed(text, figures) : failed(text, figures);
}

async function storage(bench: SelftestBench): Promise<StepOutcome> {
  const { terminal, clock } = bench;
  const value = `value ${clock.wallMs()}`;
  await terminal.link.command("nvs", { key: STORED_KEY, value });
  const before = terminal.link.hello;
  terminal.link.command("reboot", {}).catch(() => undefined);
  if ((await nextStart(bench, before)) === undefined)
    return failed("the board did not come back from a restart");
  const stored = await terminal.link.command("nvs", { key: STORED_KEY });
  return stored === value
    ? passed("what was stored was there after a restart")
    : failed("what was stored is lost");
}

async function unplug({ board }: SelftestBench): Promise<StepOutcome> {
  const look = `fleetrig board monitor ${board.port.path}`;
  return skipped(
    `by hand: pull the cable while ${look} runs, put it into another socket; the log must go on`,
  );
}

export const BOARD_STEPS: readonly SelftestStep[] = [
  { name: "hello", run: hello },
  { name: "identity", run: identity },
  { name: "resets", run: resets },
];

export const LATE_STEPS: readonly SelftestStep[] = [
  { name: "panic", needs: "crash", run: crash },
  { name: "storage", needs: "nvs", run: storage },
  { name: "unplugging", run: unplug },
];

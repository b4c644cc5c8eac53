import type { LogLine, PanicReport } from "fleetrig/hil";
import { EXIT, FleetrigError, formatDurationUs, formatWallTime, US_PER_S } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import { VERSION } from "../../version.js";
import { findBoard, labelOf } from "../find-board.js";
import { BOARD_STEPS, LATE_STEPS } from "../selftest/board-steps.js";
import { LINK_STEPS } from "../selftest/link-steps.js";
import {
  type SelftestBench,
  type SelftestStep,
  skipped,
  type StepOutcome,
} from "../selftest/selftest-step.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags } from "../workplace.js";

/** What the command line says. */
export interface SelftestFlags extends BoardFlags {
  /** False with `--no-crash`. */
  readonly crash: boolean;
  /** µs of load on the link. */
  readonly load?: number;
  readonly report?: string;
}

interface StepResult extends StepOutcome {
  readonly step: string;
  readonly tookMs: number;
}

const STEPS: readonly SelftestStep[] = [...BOARD_STEPS, ...LINK_STEPS, ...LATE_STEPS];
const LOAD_US = 10 * US_PER_S;
const NOTE =
  "This project has run this test on virtual boards only, never on silicon: a report of a real board is new to us, and welcome.";

/**
 * `fleetrig board selftest <board>`: a minute in which a board shows whether everything that scenarios do with boards works with it.
 * @returns 0, or 1 when a step failed
 */
export function selftestCommand(host: Host, name: string, flags: SelftestFlags): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    const { clock } = place;
    const board = findBoard(place, name);
    const panics: { report: PanicReport; toldUs: number }[] = [];
    const lines: LogLine[] = [];
    const handlers = {
      line: (line: LogLine) => void lines.push(line),
      panicked: (report: PanicReport) => void panics.push({ report, toldUs: clock.nowUs() }),
    };
    const results: StepResult[] = [];
    const beganUs = clock.nowUs();
    if (flags.json !== true) writeLine(host.stdout, `self test of ${labelOf(board)} at ${board.port.path}`);
    await withBoard(place, board, { purpose: "selftest", handlers }, async (terminal) => {
      const bench = {
        clock,
        board,
        terminal,
        loadUs: flags.load ?? LOAD_US,
        mayCrash: flags.crash,
        panics,
        lines,
      };
      for (const step of STEPS) {
        const result = await perform(step, bench);
        results.push(result);
        show(host, flags, result);
      }
    });
    const isPassed = results.every(({ verdict }) => verdict !== "failed");
    const tookUs = clock.nowUs() - beganUs;
    const virtual = board.port.virtual?.kind ?? null;
    const summary = { passed: isPassed, tookMs: tookUs / 1_000, virtual, note: NOTE };
    if (flags.json === true) writeLine(host.stdout, JSON.stringify({ event: "selftest", ...summary }));
    else {
      writeLine(
        host.stdout,
        `${isPassed ? "passed" : "FAILED"} in ${formatDurationUs(tookUs)}${virtual === null ? "" : `, on a virtual board (${virtual})`}`,
      );
      if (virtual === null) writeLine(host.stdout, NOTE);
    }
    if (flags.report !== undefined) {
      const report = {
        schema: 1,
        fleetrig: VERSION,
        node: host.nodeVersion,
        at: formatWallTime(clock.wallMs()),
        ...summary,
        steps: results,
      };
      host.files.writeFile(flags.report, `${JSON.stringify(report, null, 2)}\n`);
    }
    return isPassed ? EXIT.passed : EXIT.failed;
  });
}

/** What a step throws is what it found. */
async function perform(step: SelftestStep, bench: SelftestBench): Promise<StepResult> {
  const sinceUs = bench.clock.nowUs();
  const outcome = await outcomeOf(step, bench);
  return { step: step.name, ...outcome, tookMs: (bench.clock.nowUs() - sinceUs) / 1_000 };
}

async function outcomeOf({ needs, run }: SelftestStep, bench: SelftestBench): Promise<StepOutcome> {
  const { link } = bench.terminal;
  if (needs !== undefined && !link.isOpen) return skipped("needs a board that says hello");
  if (needs !== undefined && needs !== "hello" && link.hello?.caps.includes(needs) !== true)
    return skipped(`the board does not know ${needs}`);
  try {
    return await run(bench);
  } catch (error) {
    if (!(error instanceof FleetrigError)) throw error;
    return { verdict: "failed", text: error.message };
  }
}

const MARKS: Readonly<Record<StepOutcome["verdict"], string>> = {
  passed: "ok    ",
  failed: "FAILED",
  skipped: "-     ",
};

function show(host: Host, { json }: SelftestFlags, result: StepResult): void {
  if (json === true) writeLine(host.stdout, JSON.stringify({ event: "step", ...result }));
  else writeLine(host.stdout, `${MARKS[result.verdict]}  ${result.step.padEnd(16)} ${result.text}`);
}

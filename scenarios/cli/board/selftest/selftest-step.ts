import type { Hello, LogLine, PanicReport } from "fleetrig/hil";
import type { Clock } from "fleetrig/kernel";
import type { BoardTerminal } from "../board-terminal.js";
import type { FoundBoard } from "../find-board.js";

/** What one step of the self test found. */
export interface StepOutcome {
  readonly verdict: "passed" | "failed" | "skipped";
  /** One line for people. */
  readonly text: string;
  /** The same in numbers, for programs; units in their names. */
  readonly figures?: Readonly<Record<string, number | string | readonly string[]>>;
}

/** What steps work with. */
export interface SelftestBench {
  readonly clock: Clock;
  readonly board: FoundBoard;
  readonly terminal: BoardTerminal;
  /** How long the link is loaded. */
  readonly loadUs: number;
  readonly mayCrash: boolean;
  /** Panics and lines since the test began. */
  readonly panics: readonly { readonly report: PanicReport; readonly toldUs: number }[];
  readonly lines: readonly LogLine[];
}

/** One step; `needs` is what of the board it cannot do without. */
export interface SelftestStep {
  readonly name: string;
  readonly needs?: "hello" | "nvs" | "crash";
  run(bench: SelftestBench): Promise<StepOutcome>;
}

export const passed = (text: string, figures?: StepOutcome["figures"]): StepOutcome => ({
  verdict: "passed",
  text,
  ...(figures !== undefined && { figures }),
});

export const failed = (text: string, figures?: StepOutcome["figures"]): StepOutcome => ({
  ...passed(text, figures),
  verdict: "failed",
});

export const skipped = (text: string): StepOutcome => ({ verdict: "skipped", text });

/** The value below which `share` of them are; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const RESTART_US = 8_000_000;

/** The next start of a board, with a session. @returns undefined when it does not come */
export async function nextStart(
  { terminal }: SelftestBench,
  before: Hello | undefined,
): Promise<Hello | undefined> {
  const isThere = (): boolean => {
    const { hello } = terminal.link;
    const isNew = hello !== undefined && (hello.bootId !== before?.bootId || hello.boots !== before.boots);
    return isNew && terminal.link.isOpen;
  };
  return (await terminal.until(isThere, RESTART_US)) ? terminal.link.hello : undefined;
}

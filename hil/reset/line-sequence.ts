import { FleetrigError, US_PER_MS } from "fleetrig/kernel";
import type { ModemLines } from "../port/port.js";

/**
 * The language of line trains, as esptool and idf-monitor have it: steps between `|`.
 *
 *     D0 D1     releases, asserts DTR         U1,0      sets DTR and RTS in one step
 *     R0 R1     releases, asserts RTS         W100      waits 100 ms
 *
 * A single line is set together with the other one's present state, so every step is one request to the driver.
 */
export type SequenceStep =
  | { readonly kind: "lines"; readonly lines: Partial<ModemLines> }
  | { readonly kind: "wait"; readonly us: number };

const MAX_STEPS = 64;
const MAX_WAIT_MS = 10_000;
const LINE = /^([DR])([01])$/;
const BOTH = /^U([01]),([01])$/;
const WAIT = /^W(\d{1,6})$/;

/** @throws FleetrigError BOARD_SEQUENCE */
export function parseSequence(text: string): readonly SequenceStep[] {
  const words = text.split("|");
  if (words.length > MAX_STEPS) throw badSequence(text, `it has more than ${MAX_STEPS} steps`);
  return words.map((word, index) => {
    const step = stepOf(word.trim());
    if (step !== undefined) return step;
    const seconds = /^W\d*\.\d+$/.test(word.trim());
    throw badSequence(
      text,
      seconds
        ? `step ${index + 1}, ${word}, counts seconds, as in Python's esptool: write whole milliseconds`
        : `step ${index + 1} is ${JSON.stringify(word.slice(0, 20))}`,
    );
  });
}

function stepOf(word: string): SequenceStep | undefined {
  const [, line, state] = LINE.exec(word) ?? [];
  if (line !== undefined) {
    return { kind: "lines", lines: line === "D" ? { dtr: state === "1" } : { rts: state === "1" } };
  }
  const [, dtr, rts] = BOTH.exec(word) ?? [];
  if (dtr !== undefined) return { kind: "lines", lines: { dtr: dtr === "1", rts: rts === "1" } };
  const ms = Number(WAIT.exec(word)?.[1]);
  return ms <= MAX_WAIT_MS ? { kind: "wait", us: ms * US_PER_MS } : undefined;
}

const badSequence = (text: string, why: string): FleetrigError =>
  new FleetrigError("BOARD_SEQUENCE", `${JSON.stringify(text.slice(0, 200))} is no reset sequence: ${why}.`, {
    hint: `Write D0, D1, R0, R1, U<dtr>,<rts> and W<milliseconds up to ${MAX_WAIT_MS}>, with | between them.`,
    exitCode: 2,
  });

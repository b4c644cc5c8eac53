import type { PathInput } from "fleetrig/sim";
import type { Deed } from "./path-broker.js";

/** An input with the time after it. */
export interface TimedInput {
  readonly input: PathInput;
  readonly waitMs: number;
}

/** Deeds of each input; the first entry is the start's. */
export type PathLog = readonly (readonly Deed[])[];

export interface Comparison {
  readonly lanes: readonly Deed["lane"][];
  /** Within its step a deed may be that much earlier or later. */
  readonly toleranceMs: number;
}

const describeInput = (input: PathInput): string => (input.do === "send" ? input.name : input.do);

/** @returns the first difference in words; undefined when there is none. */
export function differenceOf(
  model: PathLog,
  board: PathLog,
  { lanes, toleranceMs }: Comparison,
): string | undefined {
  for (const [step, wanted] of model.entries()) {
    for (const lane of lanes) {
      const [expected, got] = [wanted, board[step] ?? []].map((deeds) =>
        deeds.filter((deed) => deed.lane === lane),
      );
      for (let place = 0; place < Math.max(expected!.length, got!.length); place += 1) {
        const [a, b] = [expected![place], got![place]];
        if (a?.text !== b?.text) {
          return `step ${step}, ${lane}: the model did ${a?.text ?? "nothing"}, the board ${b?.text ?? "nothing"}`;
        }
        const lateMs = b!.atMs - a!.atMs;
        // How long it takes to become somebody is no affair of the model's.
        if (step > 0 && Math.abs(lateMs) > toleranceMs) {
          return `step ${step}, ${lane}: the board did ${b!.text} ${lateMs.toFixed(1)} ms late`;
        }
      }
    }
  }
  return undefined;
}

/**
 * The same for a board in real time, which may be late without being wrong: deeds are compared over the whole path, and how long a
 * delay took by the board's own clock, from the deed before to the one that ended it.
 */
export function liveDifferenceOf(
  inputs: readonly TimedInput[],
  model: PathLog,
  {
    board,
    toleranceMs,
    bootMs,
  }: { readonly board: PathLog; readonly toleranceMs: number; readonly bootMs: number },
): string | undefined {
  for (const lane of ["device", "mqtt"] as const) {
    const expected = placed(model, lane);
    const got = placed(board, lane);
    for (let place = 0; place < Math.max(expected.length, got.length); place += 1) {
      const [a, b] = [expected[place], got[place]];
      if (a?.text !== b?.text) {
        return `${lane}: in step ${a?.step ?? b?.step} the model did ${a?.text ?? "nothing"}, the board ${b?.text ?? "nothing"}`;
      }
      if (place === 0 || lane === "mqtt" || inputs[a!.step - 1]?.input.do !== "elapse") continue;
      const tookMs = [expected, got].map((deeds) => deeds[place]!.clockMs - deeds[place - 1]!.clockMs);
      const lateMs = tookMs[1]! - tookMs[0]!;
      // Nobody connects who has not booted yet.
      const bootingMs = a!.text.startsWith("connection.attempt") ? bootMs : 0;
      if (lateMs < -toleranceMs || lateMs > toleranceMs + bootingMs) {
        return `${lane}: ${a!.text} took the model ${tookMs[0]!.toFixed(0)} ms, the board ${tookMs[1]!.toFixed(0)} ms`;
      }
    }
  }
  return undefined;
}

const placed = (log: PathLog, lane: Deed["lane"]) =>
  log.flatMap((deeds, step) => deeds.filter((deed) => deed.lane === lane).map((deed) => ({ ...deed, step })));

/** The path, and what both did on it. Times count from the step. */
export function describeRun(inputs: readonly TimedInput[], model: PathLog, board: PathLog): string {
  const deeds = (log: PathLog, place: number, who: string): string[] =>
    (log[place] ?? []).map(({ text, atMs }) => `      ${who} ${atMs.toFixed(1)} ${text}`);
  return ["start", ...inputs.map(({ input, waitMs }) => `${describeInput(input)}, ${waitMs.toFixed(1)} ms`)]
    .flatMap((name, place) => [
      `  ${place} ${name}`,
      ...deeds(model, place, "model"),
      ...deeds(board, place, "board"),
    ])
    .join("\n");
}

/** Deeds by the clock, as deeds of a step that began then. */
export const since = (beganMs: number, deeds: readonly Deed[]): readonly Deed[] =>
  deeds.map((deed) => ({ ...deed, atMs: deed.clockMs - beganMs }));

/** Leaves out one input after the other, as long as what remains still fails. */
export function shortest(
  inputs: readonly PathInput[],
  fails: (inputs: readonly PathInput[]) => boolean,
): readonly PathInput[] {
  let left = inputs;
  for (let place = inputs.length - 1; place >= 0; place -= 1) {
    const fewer = left.filter((_, index) => index !== place);
    if (fails(fewer)) left = fewer;
  }
  return left;
}

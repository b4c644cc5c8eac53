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
  /** A deed may be that much earlier or later. */
  readonly toleranceMs: number;
}

export const describeInput = (input: PathInput): string => (input.do === "send" ? input.name : input.do);

/** @returns the first difference in words; undefined when there is none. */
export function differenceOf(
  model: PathLog,
  board: PathLog,
  { lanes, toleranceMs }: Comparison,
): string | undefined {
  for (const lane of lanes) {
    const [wanted, got] = [model, board].map((log) => log.flat().filter((deed) => deed.lane === lane));
    for (let place = 0; place < Math.max(wanted!.length, got!.length); place += 1) {
      const [a, b] = [wanted![place], got![place]];
      if (a?.text !== b?.text)
        return `${lane}: the model did ${a?.text ?? "nothing"}, the board ${b?.text ?? "nothing"}`;
      const lateMs = b!.atMs - a!.atMs;
      if (Math.abs(lateMs) > toleranceMs) return `${lane}: ${b!.text} came ${lateMs.toFixed(1)} ms late`;
    }
  }
  return undefined;
}

/** The path, and what both did on it. */
export function describeRun(inputs: readonly TimedInput[], model: PathLog, board: PathLog): string {
  const deeds = (log: PathLog, place: number, who: string): string[] =>
    (log[place] ?? []).map(({ text, atMs }) => `      ${who} ${atMs.toFixed(1)} ${text}`);
  return ["start", ...inputs.map(({ input, waitMs }) => `${describeInput(input)}, ${waitMs.toFixed(1)} ms`)]
    .flatMap((name, place) => [`  ${name}`, ...deeds(model, place, "model"), ...deeds(board, place, "board")])
    .join("\n");
}

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

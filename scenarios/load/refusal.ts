import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { Diagnostic } from "./diagnostics.js";
import { type Complaint, diagnosticAt, type SourceFile, type SourceRange } from "./source-tree.js";

// What a file may be at most, and how reading it ends when it is more.
export const MAX_SCENARIO_BYTES = 1_048_576;
/** Nesting of lists and blocks, as written and after aliases are expanded. */
export const MAX_DEPTH = 64;
/** Values and keys, as written and after aliases are expanded. */
export const MAX_NODES = 100_000;
export const MAX_ALIASES = 50;
/** Lines, commas and opening brackets of one file. */
export const MAX_PARTS = 5_000;

/** Ends the reading at the first thing that makes going on pointless; `readYaml` catches it. */
export class Refusal extends FleetrigError {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.code, diagnostic.message, { exitCode: EXIT.usage });
  }
}

export const refuse = (range: SourceRange, complaint: Complaint): never => {
  throw new Refusal(diagnosticAt(range, complaint));
};

export const tooManyNodes = (range: SourceRange): never =>
  refuse(range, {
    code: "SCENARIO_TOO_MANY_VALUES",
    message: "The scenario has more than 100,000 values.",
    hint: "Generate things with count and thingName instead of listing them.",
  });

export const tooManyParts = (range: SourceRange): never =>
  refuse(range, {
    code: "SCENARIO_TOO_MANY_VALUES",
    message: "The file has more than 5,000 lines and list items.",
    hint: "Generate things with count and thingName instead of listing them.",
  });

export const tooDeep = (range: SourceRange): never =>
  refuse(range, {
    code: "SCENARIO_TOO_DEEP",
    message: `The scenario is nested more than ${MAX_DEPTH} levels deep.`,
    hint: "No part of the format needs such nesting.",
  });

export const rangeAt = (file: SourceFile, start: number, end = start + 1): SourceRange => ({
  file,
  start,
  end,
});

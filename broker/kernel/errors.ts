/** Exit codes of the command; `reports` and `scenarios` map verdicts and errors onto them. */
export const EXIT = {
  passed: 0,
  failed: 1,
  usage: 2,
  environment: 3,
  inconclusive: 4,
  sigint: 130,
  sigterm: 143,
} as const;

/** One of the codes in `EXIT`. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What an error carries besides its code and message. */
export interface ErrorDetails {
  /** What the reader can do about it: one sentence. */
  readonly hint?: string;
  /** JSON-safe values for programs and logs; never secrets or payloads. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** How the command ends when nobody catches this. Default: environment (3). */
  readonly exitCode?: ExitCode;
}

/**
 * The one error class. Programs match `code` (stable, `AREA_REASON`), people read `message` and `hint`.
 * The message ends with the code so that a pasted log line can be looked up in ERRORS.md.
 */
export class FleetrigError extends Error {
  readonly code: string;
  /** The message without the code, for places that show the code by itself. */
  readonly sentence: string;
  readonly hint: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(`${message} (${code})`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "FleetrigError";
    this.code = code;
    this.sentence = message;
    this.hint = details.hint;
    this.context = details.context ?? {};
    this.exitCode = details.exitCode ?? EXIT.environment;
  }
}

/** A promise of our own code was broken: report it as a bug, never handle it. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition)
    throw new FleetrigError("INTERNAL_INVARIANT", `Broken invariant: ${message}.`, {
      hint: "This is a bug in fleetrig; please report it with the replay command.",
    });
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new FleetrigError("INTERNAL_UNREACHABLE", `Unexpected value ${JSON.stringify(value)}.`, {
    hint: "This is a bug in fleetrig; please report it with the replay command.",
  });
}

import { FleetrigError } from "fleetrig/kernel";

/** Where a Python script failed, as its traceback says. */
export interface Traceback {
  /** Class of the exception: `OSError`. */
  readonly type: string;
  readonly message: string;
  /** Outermost call first. */
  readonly frames: readonly TracebackFrame[];
}

export interface TracebackFrame {
  readonly file: string;
  readonly line: number;
  /** `<module>` outside functions; undefined where the board does not say. */
  readonly function: string | undefined;
}

const HEADER = /^Traceback \(most recent call last\):/;
const FRAME = /^\s+File "([^"]{0,256})", line (\d{1,7})(?:, in (\S{1,128}))?/;
const EXCEPTION = /^([A-Za-z_][\w.]{0,127})(?:: (.*))?$/;

/**
 * Finds the last traceback in a board's text.
 * @returns undefined when there is none, or it is not whole yet.
 */
export function parseTraceback(text: string): Traceback | undefined {
  const lines = text.split(/\r?\n/);
  const start = lines.findLastIndex((line) => HEADER.test(line));
  if (start < 0) return undefined;
  const frames: TracebackFrame[] = [];
  for (const line of lines.slice(start + 1)) {
    const frame = FRAME.exec(line);
    if (frame !== null) {
      frames.push({ file: frame[1]!, line: Number(frame[2]), function: frame[3] });
      continue;
    }
    // Newer versions may show the line of source below its frame.
    if (line.startsWith("  ")) continue;
    const exception = EXCEPTION.exec(line.trimEnd());
    return exception === null ? undefined : { type: exception[1]!, message: exception[2] ?? "", frames };
  }
  return undefined;
}

/** The error that a traceback is: at the place in the script nearest to the failure. */
export function tracebackError(traceback: Traceback): FleetrigError {
  const place = traceback.frames.at(-1);
  const where = place === undefined ? "" : ` at ${place.file}:${place.line}`;
  const what = traceback.message === "" ? traceback.type : `${traceback.type}: ${traceback.message}`;
  return new FleetrigError("BOARD_TRACEBACK", `The board's script failed${where}: ${what}.`, {
    hint: traceback.frames
      .map(({ file, line, function: name }) => `${file}:${line} in ${name ?? "?"}`)
      .join(" > "),
    context: { ...traceback, file: place?.file, line: place?.line },
  });
}

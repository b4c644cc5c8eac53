import {
  type BoardFile,
  deployFiles,
  parseTraceback,
  RawRepl,
  type Traceback,
  tracebackError,
} from "fleetrig/hil";
import { EXIT, FleetrigError, US_PER_S } from "fleetrig/kernel";
import { type Host, writeLine } from "../../host.js";
import type { BoardTerminal } from "../board-terminal.js";
import { findBoard, labelOf } from "../find-board.js";
import { flashLineOf } from "../flash-session.js";
import { withBoard } from "../with-board.js";
import { atWorkplace, type BoardFlags, type Workplace } from "../workplace.js";

/** What the command line says. */
export interface DeployFlags extends BoardFlags {
  /** A file that is run once after the others are there. */
  readonly run?: string;
  /** µs that it may take. */
  readonly timeout?: number;
}

const MAX_FILE_BYTES = 1_048_576;
const RUN_US = 30 * US_PER_S;
/** MicroPython's word for the start of main.py; what failed before is of no interest. */
const RESTARTED = "soft reboot";
const MAX_SAID = 65_536;
/** What fails at the start of main.py fails within this time. */
const START_US = 2 * US_PER_S;

/**
 * `fleetrig board deploy <board> <files...>`: puts scripts on a MicroPython board and starts them.
 * @returns 0, or 1 when a script fails
 */
export function deployCommand(
  host: Host,
  name: string,
  words: readonly string[],
  flags: DeployFlags,
): Promise<number> {
  return atWorkplace(host, flags, async (place) => {
    const files = words.flatMap((word) => boardFiles(host, word));
    const board = findBoard(place, name);
    let said = "";
    const handlers = {
      bytes: (bytes: Uint8Array) => {
        said = (said + Buffer.from(bytes).toString("latin1")).slice(-MAX_SAID);
      },
    };
    const failure = (): Traceback | undefined =>
      parseTraceback(said.slice(Math.max(0, said.lastIndexOf(RESTARTED))));
    return withBoard(place, board, { purpose: "deploy", handlers }, async (terminal) => {
      const { written, current } = await deployFiles({
        line: flashLineOf(terminal),
        clock: place.clock,
        files,
        starts: flags.run === undefined,
        onProgress: (path, outcome) => writeLine(host.stderr, `${outcome.padEnd(8)} ${path}`),
      });
      if (flags.run !== undefined) return run(place, terminal, flags);
      await terminal.until(() => failure() !== undefined || terminal.hello !== undefined, START_US);
      const traceback = failure();
      const fault = traceback === undefined ? undefined : tracebackError(traceback);
      if (flags.json === true) {
        const error = fault?.sentence ?? null;
        writeLine(host.stdout, JSON.stringify({ event: "deployed", written, current, error }));
      }
      if (fault !== undefined) return refuse(host, fault);
      if (flags.json !== true)
        writeLine(
          host.stdout,
          `${labelOf(board)}: ${written.length} written, ${current.length} there already; started`,
        );
      return EXIT.passed;
    });
  });
}

/** `path=file`, a file under its own name, or a folder with all that is in it. */
function boardFiles(host: Host, word: string): readonly BoardFile[] {
  const [, named, source] = /^([^=]+)=(.+)$/.exec(word) ?? [];
  const file = source ?? word;
  const { files } = host;
  if (files.kind(file) === "folder")
    return files
      .list(file)
      .toSorted()
      .flatMap((entry) => {
        const below = entry.replace(/\/$/, "");
        const prefix = named === undefined ? below : `${named}/${below}`;
        return boardFiles(host, `${prefix}=${file.replace(/\/$/, "")}/${below}`);
      });
  const path = named ?? file.slice(file.lastIndexOf("/") + 1);
  return [{ path, bytes: files.readBytes(file, MAX_FILE_BYTES) }];
}

/** Runs a script in the interpreter and shows what it prints. */
async function run({ host, clock }: Workplace, terminal: BoardTerminal, flags: DeployFlags): Promise<number> {
  const { run: file = "", timeout: timeoutUs = RUN_US } = flags;
  const repl = await RawRepl.enter(flashLineOf(terminal), clock);
  try {
    host.stdout.write(await repl.run(host.files.readFile(file, MAX_FILE_BYTES), { name: file, timeoutUs }));
    return EXIT.passed;
  } catch (error) {
    if (!(error instanceof FleetrigError) || error.code !== "BOARD_TRACEBACK") throw error;
    return refuse(host, error);
  } finally {
    await repl.leave(false).catch(() => undefined);
  }
}

/** A script's failure is a result, not one of the command. */
function refuse({ stderr }: Host, { message, hint }: FleetrigError): number {
  writeLine(stderr, `error: ${message}`);
  if (hint !== undefined) writeLine(stderr, `  hint: ${hint}`);
  return EXIT.failed;
}

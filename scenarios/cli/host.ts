import type { PortOpener, PortOpenerOptions, SystemFiles } from "fleetrig/hil";
import type { ConsoleOptions } from "fleetrig/reports";

/**
 * Everything a command needs of the operating system. Commands are functions `(host, ...) => exit code`, so a test
 * runs them in process on a host of its own; only the node host touches `process`. Paths use forward slashes
 * and are relative to `cwd` unless absolute.
 */
export interface Host {
  /** Arguments after the command's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** With a leading `v`. */
  readonly nodeVersion: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly files: HostFiles;
  readonly machine: HostMachine;
  /** Microseconds since an arbitrary instant; never steps. */
  nowUs(): number;
  /** Milliseconds since 1970. */
  wallMs(): number;
  /** Calls back on the first SIGINT or SIGTERM; a second one ends the process at once. @returns stops calling back */
  onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** From here on, files that this process creates are for its own user only, whoever creates them. */
  keepFilesPrivate(): void;
  /** Shows a page in the user's browser, if there is one. */
  openUrl(url: string): void;
  /** Lines that are typed, without their ends. @returns stops listening */
  onInput(line: (text: string) => void): () => void;
  /** Ends the process at once, whatever still runs in it: for what would not end by itself. */
  exit(code: number): void;
}

/** The machine as far as boards hang on it. */
interface HostMachine {
  readonly files: SystemFiles;
  readonly user: { readonly userId: number; readonly groupIds: readonly number[] };
  /** Its name in the network. */
  readonly name: string;
  readonly temporaryFolder: string;
  openPorts(options: PortOpenerOptions): PortOpener;
}

/** A stream that people or programs read. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width in characters; 80 when it is not a terminal. */
  readonly columns: number;
}

/** The files that a command may touch. */
export interface HostFiles {
  /**
   * Text of a file, at most `maxBytes` of it.
   * @throws {FleetrigError} CLI_FILE_UNREADABLE
   */
  readFile(path: string, maxBytes?: number): string;
  /**
   * Bytes of a file, at most `maxBytes` of it.
   * @throws {FleetrigError} CLI_FILE_UNREADABLE
   */
  readBytes(path: string, maxBytes?: number): Uint8Array;
  /**
   * Writes a file and the folders above it.
   * @throws {FleetrigError} CLI_FILE_UNWRITABLE, or CLI_FILE_EXISTS with `exclusive` when there is one already
   */
  writeFile(
    path: string,
    text: string,
    options?: { readonly exclusive?: boolean; readonly append?: boolean },
  ): void;
  /** What a path is; `undefined` when there is nothing. */
  kind(path: string): "file" | "folder" | undefined;
  /** Names in a folder, unsorted, folders with a trailing slash; empty when there is no such folder. */
  list(path: string): readonly string[];
  /** May files be created in this folder? */
  isWritable(folder: string): boolean;
  /** The path without symbolic links. */
  realPath(path: string): string;
}

/** One line to an output. */
export const writeLine = (output: Output, text = ""): void => output.write(`${text}\n`);

/** Results are coloured on terminals only, and not where the user asks for none (https://no-color.org). */
export const consoleOptions = ({ stdout, env }: Host): ConsoleOptions => ({
  color: stdout.isTTY && (env["NO_COLOR"] ?? "") === "",
  width: stdout.columns,
});

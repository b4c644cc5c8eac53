import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { hostname, tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { isatty } from "node:tty";
import { createPortOpener, hostSystemFiles } from "fleetrig/hil";
import { EXIT, FleetrigError, hostNowUs, hostWallMs } from "fleetrig/kernel";
import type { Host, HostFiles, Output } from "../host.js";

/** The host of the real command: this process. */
export function createNodeHost(argv: readonly string[]): Host {
  const cwd = process.cwd();
  return {
    argv,
    env: process.env,
    cwd,
    nodeVersion: process.version,
    stdout: outputOf(process.stdout, STDOUT),
    stderr: outputOf(process.stderr, STDERR),
    files: filesBelow(cwd),
    machine: {
      files: hostSystemFiles,
      user: { userId: process.getuid?.() ?? 0, groupIds: process.getgroups?.() ?? [] },
      name: hostname(),
      temporaryFolder: tmpdir(),
      openPorts: createPortOpener,
    },
    nowUs: hostNowUs,
    wallMs: hostWallMs,
    onSignal: (handler) => {
      const onInt = (): void => onFirst("SIGINT");
      const onTerm = (): void => onFirst("SIGTERM");
      const stop = (): void => {
        process.off("SIGINT", onInt);
        process.off("SIGTERM", onTerm);
      };
      const onFirst = (signal: "SIGINT" | "SIGTERM"): void => {
        stop();
        handler(signal);
      };
      process.on("SIGINT", onInt);
      process.on("SIGTERM", onTerm);
      return stop;
    },
    keepFilesPrivate: () => void process.umask(0o077),
    openUrl,
    onInput: (line) => {
      const lines = createInterface({ input: process.stdin });
      lines.on("line", line);
      return () => lines.close();
    },
    exit: (code) => process.exit(code),
  };
}

/** What shows a page, by platform. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

function openUrl(url: string): void {
  const [program = "", ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  const child = spawn(program, [...args, url], { detached: true, stdio: "ignore" });
  // Machines without a browser have no opener either; the address has been printed.
  child.on("error", () => undefined);
  child.unref();
}

const DEFAULT_COLUMNS = 80;

const STDOUT = 1;
const STDERR = 2;

const outputOf = (stream: NodeJS.WriteStream, descriptor: number): Output => ({
  write: (text) => void stream.write(text),
  // `stream.isTTY` is undefined where the stream is a file or a pipe.
  isTTY: isatty(descriptor),
  // Asked each time: windows change their size.
  get columns() {
    return isatty(descriptor) ? stream.columns : DEFAULT_COLUMNS;
  },
});

/** What a file may have in all when the caller sets no limit. */
const MAX_FILE_BYTES = 256 * 1_048_576;

/** Files of this machine; relative paths are relative to `cwd`. */
export function filesBelow(cwd: string): HostFiles {
  const at = (path: string): string => resolve(cwd, path);
  const readBytes = (path: string, maxBytes = MAX_FILE_BYTES): Buffer => {
    try {
      return readStart(at(path), maxBytes);
    } catch (cause) {
      throw fileError("CLI_FILE_UNREADABLE", `The file ${path} cannot be read.`, cause);
    }
  };
  return {
    readFile: (path, maxBytes) => readBytes(path, maxBytes).toString("utf8"),
    readBytes,
    writeFile: (path, text, { exclusive = false, append = false } = {}) => {
      try {
        makeFolder(dirname(at(path)));
        writeFileSync(at(path), text, { flag: exclusive ? "wx" : append ? "a" : "w" });
      } catch (cause) {
        if (exclusive && reasonOf(cause) === "EEXIST")
          throw fileError("CLI_FILE_EXISTS", `The file ${path} exists already.`, cause);
        throw fileError("CLI_FILE_UNWRITABLE", `The file ${path} cannot be written.`, cause);
      }
    },
    kind: (path) => {
      const found = statSync(at(path), { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      return found.isDirectory() ? "folder" : found.isFile() ? "file" : undefined;
    },
    list: (path) => {
      try {
        const entries = readdirSync(at(path), { withFileTypes: true });
        return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      } catch {
        return [];
      }
    },
    isWritable: (folder) => {
      try {
        accessSync(at(folder), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    realPath: (path) => realpathSync(at(path)),
  };
}

/**
 * Makes a folder and the ones above it. Not by `mkdirSync`'s own recursion, which never ends below /proc: there a
 * parent exists and yet every child is ENOENT.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (reasonOf(error) !== "EEXIST") throw error;
  }
}

/** Reads no more than asked for, whatever the size of the file. */
function readStart(path: string, maxBytes: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const parts: Uint8Array[] = [];
    let left = maxBytes;
    while (left > 0) {
      const part = Buffer.allocUnsafe(Math.min(left, 65_536));
      const read = readSync(descriptor, part);
      if (read === 0) break;
      parts.push(part.subarray(0, read));
      left -= read;
    }
    return Buffer.concat(parts);
  } finally {
    closeSync(descriptor);
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";

const fileError = (code: string, message: string, cause: unknown): FleetrigError =>
  new FleetrigError(code, message, {
    hint: `The system says ${reasonOf(cause)}.`,
    cause,
    exitCode: code === "CLI_FILE_UNWRITABLE" ? EXIT.environment : EXIT.usage,
  });

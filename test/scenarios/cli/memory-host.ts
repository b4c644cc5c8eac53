import { posix } from "node:path";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { Host } from "fleetrig/scenarios";
import { createPortOpener, type SystemFiles } from "fleetrig/hil";

type Signal = Parameters<Parameters<Host["onSignal"]>[0]>[0];

export interface MemoryHostOptions {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly nodeVersion?: string;
  /** Files that cannot be written; with `.` the folder itself. */
  readonly readOnly?: readonly string[];
  /** What hangs on it; default: nothing. */
  readonly machine?: Partial<Host["machine"]>;
}

const NOTHING: SystemFiles = {
  list: () => [],
  read: () => undefined,
  resolve: () => undefined,
  link: () => undefined,
  owner: () => undefined,
  isWritable: () => false,
};

/** A host in memory: files by path, and everything a command wrote. `interrupt` sends it a signal, `type` a line. */
export function memoryHost(
  initial: Readonly<Record<string, string>> = {},
  {
    argv = [],
    env = {},
    isTTY = false,
    columns = 80,
    readOnly = [],
    machine,
    ...rest
  }: MemoryHostOptions = {},
) {
  const files = new Map(Object.entries(initial));
  const handlers = new Set<(signal: Signal) => void>();
  const exits: number[] = [];
  const typed = new Set<(line: string) => void>();
  const written = { stdout: "", stderr: "" };
  const clean = (path: string) => posix.normalize(path).replace(/(?<=.)\/$/, "");
  const isBelow = (file: string, folder: string) =>
    clean(folder) === "." || file.startsWith(`${clean(folder)}/`);
  const output = (stream: "stdout" | "stderr") => ({
    write: (text: string) => void (written[stream] += text),
    isTTY,
    columns,
  });
  const readFile = (path: string): string => {
    const text = files.get(clean(path));
    if (text === undefined)
      throw new FleetrigError("CLI_FILE_UNREADABLE", `No ${path}.`, { exitCode: EXIT.usage });
    return text;
  };
  const host: Host = {
    argv,
    env,
    cwd: "/project",
    nodeVersion: rest.nodeVersion ?? "v20.19.0",
    stdout: output("stdout"),
    stderr: output("stderr"),
    machine: {
      files: NOTHING,
      user: { userId: 1000, groupIds: [1000] },
      name: "bench",
      temporaryFolder: "/tmp",
      openPorts: createPortOpener,
      ...machine,
    },
    files: {
      readFile,
      readBytes: (path) => Buffer.from(readFile(path), "latin1"),
      writeFile: (path, text, options) => {
        if (readOnly.includes(clean(path)))
          throw new FleetrigError("CLI_FILE_UNWRITABLE", `The file ${path} cannot be written.`);
        if (options?.exclusive === true && files.has(clean(path)))
          throw new FleetrigError("CLI_FILE_EXISTS", `There is ${path}.`);
        files.set(clean(path), options?.append === true ? `${files.get(clean(path)) ?? ""}${text}` : text);
      },
      kind: (path) => {
        if (files.has(clean(path))) return "file";
        return [...files.keys()].some((file) => isBelow(file, path)) ? "folder" : undefined;
      },
      list: (path) => {
        const below = [...files.keys()].filter((file) => isBelow(file, path));
        const start = clean(path) === "." ? 0 : clean(path).length + 1;
        return [...new Set(below.map((file) => /^[^/]+\/?/.exec(file.slice(start))?.[0] ?? ""))];
      },
      isWritable: (folder) => !readOnly.includes(clean(folder)),
      realPath: clean,
    },
    nowUs: () => 0,
    wallMs: () => 0,
    onSignal: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    keepFilesPrivate: () => undefined,
    openUrl: () => undefined,
    onInput: (line) => {
      typed.add(line);
      return () => typed.delete(line);
    },
    exit: (code) => void exits.push(code),
  };
  const interrupt = (signal: Signal): void => {
    for (const handler of handlers) handler(signal);
  };
  const type = (line: string): void => {
    for (const heard of typed) heard(line);
  };
  return { host, files, written, interrupt, type, exits };
}

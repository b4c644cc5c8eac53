import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { resolve } from "node:path";

const MAIN = resolve("dist/scenarios/cli/main.js");

/** Brings dist up to date, so that a stale build is never what is tested. */
export const build = (): void =>
  void execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "scenarios"], {
    stdio: "inherit",
  });

export interface Ending {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** Resolves when the text has appeared on stderr. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<Ending>;
}

/** The command as a process of its own, in this repository unless `cwd` says otherwise. */
export function start(
  args: readonly string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): RunningCommand {
  const { GITHUB_ACTIONS: _, GITHUB_STEP_SUMMARY: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...inherited, ...env } });
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (written.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (written.stderr += text));
  const ended = new Promise<Ending>((settle) => {
    child.on("close", (code, signal) => settle({ code, signal, ...written }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((settle, reject) => {
      const look = (): void => {
        if (written.stderr.includes(text)) settle();
      };
      child.stderr.on("data", look);
      child.on("close", () => reject(new TypeError(`ended without saying ${text}: ${written.stderr}`)));
      look();
    });
  return { child, says, ended };
}

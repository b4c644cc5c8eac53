import { spawn } from "node:child_process";

/** Runs a program to its end. */
export const runProgram = (
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args);
    const written = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (written.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (written.stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...written }));
  });

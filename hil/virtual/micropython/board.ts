import { createInterface } from "node:readline";
import { Socket } from "node:net";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { InputRing } from "./input-ring.js";

/**
 * A board that runs MicroPython: the process behind its serial line, which is standard input and output. The interpreter blocks, so it
 * has a thread of its own. It begins when descriptor 3 says as which board. Its exit code says why the board restarts (see `hosted-board.ts`).
 */
const CONTROL_FD = 3;
const memory = InputRing.memory();
const ring = new InputRing(memory);

const interpreter = new Worker(new URL("./interpreter.js", import.meta.url), { workerData: memory });
interpreter.on("error", (error) => {
  process.stderr.write(`${error.stack ?? String(error)}\n`);
});
interpreter.on("exit", (code) => process.exit(code));

createInterface({ input: new Socket({ fd: CONTROL_FD }) }).once("line", (line) => {
  interpreter.postMessage(JSON.parse(line));
});
process.stdin.on("data", (bytes: Buffer) => ring.put(bytes));
process.stdin.on("end", () => process.exit(0));

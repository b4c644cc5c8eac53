import { spawn } from "node:child_process";
import process from "node:process";
import { type Clock, EXIT, FleetrigError, US_PER_MINUTE } from "fleetrig/kernel";

/**
 * Flashing by a program of the user's: `west flash --esp-device {port}`. The template is split into words by spaces and quotes; no shell reads it, so
 * what stands in for a placeholder is one word whatever is in it.
 */
export interface FlashCommand {
  /** With `{port}`, `{mac}`, `{baud}` and `{image}` (the first image's file) where those go. */
  readonly template: string;
  readonly values: Readonly<Partial<Record<Placeholder, string>>>;
  /** Working folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Default: 5 minutes. */
  readonly timeoutUs?: number;
  /** Lines that the program prints. */
  readonly onLine?: (line: string) => void;
}

const PLACEHOLDERS = ["port", "mac", "baud", "image"] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

const TEMPLATE_CHARACTERS = 4_096;
/** What of its output is told when it fails. */
const LAST_LINES = 10;
const LINE_CHARACTERS = 2_000;

/**
 * Runs the command and waits for its end.
 * @throws FleetrigError FLASH_COMMAND_INVALID, FLASH_COMMAND_FAILED
 */
export async function runFlashCommand(command: FlashCommand): Promise<void> {
  const { folder, clock, timeoutUs = 5 * US_PER_MINUTE, onLine } = command;
  const [program, ...args] = flashCommandWords(command.template, command.values);
  const last: string[] = [];
  const line = (text: string): void => {
    if (text.trim() === "") return;
    last.push(text);
    if (last.length > LAST_LINES) last.shift();
    onLine?.(text);
  };
  // A group of its own: tools of this kind start others, which have to end with them.
  const child = spawn(program!, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const outputs = [child.stdout, child.stderr].map((stream) => readLines(stream, line));
  let isLate = false;
  const limit = clock.after(timeoutUs, () => {
    isLate = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });
  const ending = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? "" : `exit ${code ?? signal}`));
  });
  limit.cancel();
  for (const flush of outputs) flush();
  if (ending === "") return;
  throw new FleetrigError(
    "FLASH_COMMAND_FAILED",
    `${program} did not flash the board: ${isLate ? "it took too long" : ending}.`,
    {
      hint: last.length === 0 ? "It printed nothing." : `It said last: ${last.slice(-3).join(" / ")}`,
      context: { program, args, last },
    },
  );
}

/** @throws FleetrigError FLASH_COMMAND_INVALID */
export function flashCommandWords(template: string, values: FlashCommand["values"]): string[] {
  if (template.length > TEMPLATE_CHARACTERS)
    throw invalid(`it is longer than ${TEMPLATE_CHARACTERS} characters`);
  const words = split(template).map((word) =>
    word.replace(/\{([a-z]{1,16})\}/g, (_, name: string) => {
      const value = PLACEHOLDERS.some((known) => known === name) ? values[name as Placeholder] : undefined;
      if (value === undefined) throw invalid(`nothing is known for {${name}}`);
      return value;
    }),
  );
  if (words.length === 0) throw invalid("it is empty");
  return words;
}

function split(template: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const character of template) {
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (character === " " || character === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) throw invalid("a quote is not closed");
  if (word !== undefined) words.push(word);
  return words;
}

/** @returns Tells the last line, which may have no line feed. */
function readLines(stream: NodeJS.ReadableStream, line: (text: string) => void): () => void {
  let held = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (held + text).split(/\r?\n|\r/);
    held = (lines.pop() ?? "").slice(-LINE_CHARACTERS);
    for (const one of lines) line(one.slice(0, LINE_CHARACTERS));
  });
  return () => line(held);
}

const invalid = (why: string): FleetrigError =>
  new FleetrigError("FLASH_COMMAND_INVALID", `The flash command cannot be used: ${why}.`, {
    hint: `Write a program and its arguments, with ${PLACEHOLDERS.map((name) => `{${name}}`).join(", ")} where those go.`,
    exitCode: EXIT.usage,
  });

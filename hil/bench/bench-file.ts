import { readFile } from "node:fs/promises";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { Composer, type CST, Lexer, Parser } from "yaml";
import { z } from "zod";
import { lineProfileSchema } from "../profiles/line-profile.js";

/**
 * The *bench file*: what a bench knows of its boards that they cannot tell themselves. A board is known by its MAC, or by its port
 * when its firmware says no hello.
 */
const MAX_FILE_BYTES = 1_048_576;
const MAX_BOARDS = 1_000;
const MAX_DEPTH = 32;
/** Words, indentations and punctuation; a board has about 40. */
const MAX_LEXEMES = 100_000;
const MAX_ALIASES = 100;

const word = z.string().min(1).max(128);
const command = z.string().min(1).max(4096);

const macSchema = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}$/, "a MAC address is written like 7c:df:a1:00:11:22")
  .transform((text) => text.replaceAll(/[:-]/g, "").toLowerCase());

/** How a board's power is switched: `PowerSettings`. */
const powerSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("command"), off: command, on: command }),
  z.strictObject({
    kind: z.literal("uhubctl"),
    location: word.optional(),
    port: z.int().min(1).max(32).optional(),
    program: z.string().max(1024).optional(),
  }),
  z.strictObject({ kind: z.literal("sysfs") }),
  z.strictObject({ kind: z.literal("socket"), path: z.string().min(1).max(1024) }),
]);

const boardSchema = z
  .strictObject({
    mac: macSchema.optional(),
    name: word.optional(),
    tags: z.array(word).max(64).default([]),
    /** Address or glob; needed for boards without hello. */
    port: z.string().min(1).max(1024).optional(),
    /** A train of the line language, such as `D0|R1|W100|D0|R0`. */
    reset: z.string().min(1).max(256).optional(),
    power: powerSchema.optional(),
    /** Images by version: path of the file that a job of that version installs. */
    images: z.record(z.string().max(64), z.string().max(1024)).optional(),
    /** ELF file that names addresses of panics. */
    elf: z.string().max(1024).optional(),
    /** Bits per second; default 115200. */
    baud: z.int().min(300).max(12_000_000).optional(),
    /** Instead of what a bridge of the scenario says. */
    profile: word.optional(),
  })
  .refine(({ mac, port }) => mac !== undefined || port !== undefined, "a board needs a mac or a port");

export const benchFileSchema = z.strictObject({
  boards: z.array(boardSchema).max(MAX_BOARDS).default([]),
  /** Line profiles by name, for boards that do not speak fleetrig's link. */
  profiles: z.record(word, lineProfileSchema).default({}),
});

/** A bench file after parsing. */
export type BenchFile = z.infer<typeof benchFileSchema>;
/** One board of a bench file. */
export type BenchFileBoard = BenchFile["boards"][number];

/** Nothing is known. */
export const EMPTY_BENCH_FILE: BenchFile = { boards: [], profiles: {} };

/**
 * Reads a bench file, YAML or JSON.
 * @throws FleetrigError BENCH_FILE_UNREADABLE, BENCH_FILE_INVALID (rejections, exit 2)
 */
export async function readBenchFile(path: string): Promise<BenchFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new FleetrigError("BENCH_FILE_UNREADABLE", `The bench file ${path} cannot be read.`, {
      hint: cause instanceof Error ? cause.message : String(cause),
      exitCode: EXIT.usage,
      cause,
    });
  }
  return parseBenchFile(text, path);
}

/** @throws FleetrigError BENCH_FILE_INVALID (exit 2) */
export function parseBenchFile(text: string, path: string): BenchFile {
  if (text.length > MAX_FILE_BYTES) throw invalid(path, `it is longer than ${MAX_FILE_BYTES} bytes`);
  let value: unknown;
  try {
    value = parseYaml(text, path) ?? {};
  } catch (error) {
    if (error instanceof FleetrigError) throw error;
    throw invalid(path, error instanceof Error ? error.message : String(error));
  }
  const file = benchFileSchema.safeParse(value);
  if (!file.success) {
    const [issue] = file.error.issues;
    throw invalid(
      path,
      `${issue?.path.join(".") || "its top level"}: ${issue?.message ?? "is not understood"}`,
    );
  }
  const double = firstDouble(file.data.boards.flatMap(({ mac }) => mac ?? []));
  if (double !== undefined) throw invalid(path, `the board ${double} is listed twice`);
  return file.data;
}

function parseYaml(text: string, path: string): unknown {
  const [document] = new Composer({ version: "1.2" }).compose(boundedTokens(text, path), true, text.length);
  const [error] = document?.errors ?? [];
  if (error !== undefined) throw error;
  return document?.toJS({ maxAliasCount: MAX_ALIASES });
}

/** A bomb is refused before its tree exists: trees are walked by calls that have a stack to exhaust. */
function* boundedTokens(text: string, path: string): Generator<CST.Token> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    yield* parser.next(lexeme);
    if (lexemes > MAX_LEXEMES || parser.stack.length > MAX_DEPTH)
      throw invalid(path, `it is nested more than ${MAX_DEPTH} levels deep, or has ${MAX_LEXEMES} words`);
  }
  yield* parser.end();
}

const firstDouble = (texts: readonly string[]): string | undefined =>
  texts.find((text, index) => texts.indexOf(text) !== index);

const invalid = (path: string, why: string): FleetrigError =>
  new FleetrigError("BENCH_FILE_INVALID", `The bench file ${path} cannot be used: ${why}.`, {
    hint: "It is an object with boards: [{ mac, name, tags, port, reset, power, images, elf, baud, profile }] and profiles.",
    context: { path },
    exitCode: EXIT.usage,
  });

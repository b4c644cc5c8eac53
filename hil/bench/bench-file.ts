import { readFile } from "node:fs/promises";
import { EXIT, FleetrigError, nearestName } from "fleetrig/kernel";
import {
  Composer,
  type CST,
  type Document,
  isMap,
  isNode,
  isScalar,
  Lexer,
  Parser,
  YAMLParseError,
} from "yaml";
import { z } from "zod";
import { shownMac } from "../enumerate/board-identity.js";
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
  .string("write it in quotes: without them this is a number")
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

/** @throws FleetrigError BENCH_FILE_INVALID (exit 2), with file, line and column */
export function parseBenchFile(text: string, path: string): BenchFile {
  const at = new Places(path, text);
  if (text.length > MAX_FILE_BYTES) throw at.invalid(`it is longer than ${MAX_FILE_BYTES} bytes`);
  const document = composeYaml(text, at);
  const file = benchFileSchema.safeParse(document?.toJS({ maxAliasCount: MAX_ALIASES }) ?? {});
  if (!file.success) throw at.misfit(file.error.issues[0]!, document);
  const macs = file.data.boards.map(({ mac }) => mac);
  const double = macs.findIndex((mac, index) => mac !== undefined && macs.indexOf(mac) < index);
  if (double >= 0)
    throw at.invalid(
      `the board ${shownMac(macs[double]!)} is listed twice`,
      offsetOf(document, ["boards", double, "mac"]),
    );
  return file.data;
}

function composeYaml(text: string, at: Places): Document | undefined {
  const tokens = boundedTokens(text, at);
  try {
    const [document] = new Composer({ version: "1.2" }).compose(tokens, true, text.length);
    const [error] = document?.errors ?? [];
    if (error !== undefined) throw error;
    return document;
  } catch (error) {
    if (error instanceof FleetrigError) throw error;
    const why = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
    throw at.invalid(why, error instanceof YAMLParseError ? error.pos[0] : 0);
  }
}

/** A bomb is refused before its tree exists: trees are walked by calls that have a stack to exhaust. */
function* boundedTokens(text: string, at: Places): Generator<CST.Token> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    yield* parser.next(lexeme);
    if (lexemes > MAX_LEXEMES || parser.stack.length > MAX_DEPTH)
      throw at.invalid(`it is nested more than ${MAX_DEPTH} levels deep, or has ${MAX_LEXEMES} words`);
  }
  yield* parser.end();
}

type Step = string | number;

/** Where the value at a path begins; the nearest block around it where there is none. */
function offsetOf(document: Document | undefined, path: readonly Step[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document?.contents : document?.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** Where a key of the block at a path is written. */
function offsetOfKey(document: Document | undefined, path: readonly Step[], key: string): number {
  const block = path.length === 0 ? document?.contents : document?.getIn(path, true);
  const pair = isMap(block)
    ? block.items.find((item) => isScalar(item.key) && item.key.value === key)
    : undefined;
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? offsetOf(document, path);
}

const KNOWN_KEYS = [...Object.keys(boardSchema.shape), ...Object.keys(benchFileSchema.shape)];

/** Complaints about one bench file, with the place in it. */
class Places {
  constructor(
    private readonly path: string,
    private readonly text: string,
  ) {}

  misfit(issue: z.core.$ZodIssue, document: Document | undefined): FleetrigError {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    const name = path.join(".");
    if (issue.code !== "unrecognized_keys")
      return this.invalid(`${name || "its top level"}: ${issue.message}`, offsetOf(document, path));
    const key = issue.keys[0]!;
    const nearest = nearestName(key, KNOWN_KEYS);
    const why = `${name === "" ? "" : `${name}: `}there is no key "${key}"`;
    const hint = nearest === undefined ? undefined : `Did you mean ${nearest}?`;
    return this.invalid(why, offsetOfKey(document, path, key), hint);
  }

  invalid(why: string, offset = 0, hint?: string): FleetrigError {
    const before = this.text.slice(0, offset).split("\n");
    const place = `${this.path}:${before.length}:${before.at(-1)!.length + 1}`;
    return new FleetrigError("BENCH_FILE_INVALID", `The bench file ${place} cannot be used: ${why}.`, {
      hint:
        hint ??
        "It is an object with boards: [{ mac, name, tags, port, reset, power, images, elf, baud, profile }] and profiles.",
      context: { path: this.path },
      exitCode: EXIT.usage,
    });
  }
}

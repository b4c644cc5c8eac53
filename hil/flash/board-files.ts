import { createHash } from "node:crypto";
import { EXIT, FleetrigError, US_PER_S } from "fleetrig/kernel";
import type { RawRepl } from "./raw-repl.js";

/** A file on a MicroPython board. */
export interface BoardFile {
  /** Without a leading slash: `main.py`, `lib/sensor.py`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Letters that need no escape in Python; other characters would need thought about encodings on the board. */
const PATH = /^(?!\/)[\w.-]{1,64}(?:\/[\w.-]{1,64}){0,7}$/;
/** Bytes of a file in one statement: what the smallest boards can parse. */
const PIECE_BYTES = 128;
const WRITE_ATTEMPTS = 3;
const WRITE_US = 10 * US_PER_S;
const SUM_US = 30 * US_PER_S;

/** Sums up a file with what the board has; Adler-32 by hand where it has no hashes. */
const SUM_SCRIPT = `
def _sum(p):
 try:
  f=open(p,'rb')
 except OSError:
  return 'none'
 try:
  try:
   import hashlib as m
  except ImportError:
   import uhashlib as m
  h=m.sha256()
 except (ImportError,AttributeError):
  h=None
 a=1
 b=0
 while True:
  d=f.read(64)
  if not d:
   break
  if h:
   h.update(d)
  else:
   for c in d:
    a=(a+c)%65521
    b=(b+a)%65521
 f.close()
 if h:
  return 'sha256 '+''.join(['%02x'%c for c in h.digest()])
 return 'adler32 %04x%04x'%(b,a)
`;

/** Moves a file that is whole to where it belongs; boards without rename have written it there already. */
const MOVE_SCRIPT = `
def _move(p):
 try:
  import os as m
 except ImportError:
  import uos as m
 try:
  m.remove(p)
 except OSError:
  pass
 m.rename(p+'.new',p)
`;

/** Files on a board, through its raw REPL. */
export class BoardFiles {
  private isPrepared = false;
  private canRename = true;

  constructor(private readonly repl: RawRepl) {}

  /**
   * Puts a file on the board and makes sure that it is there; folders are made. A file that is there already is left alone.
   * @throws FleetrigError BOARD_FILE_INVALID, BOARD_FILE_DIFFERS, BOARD_TRACEBACK, BOARD_NO_ANSWER, FLASH_LINE_LOST
   */
  async put(file: BoardFile): Promise<"written" | "current"> {
    const { path, bytes } = file;
    checkPath(path);
    await this.prepare();
    if (await this.holds(path, bytes)) return "current";
    const folders = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= folders.length; depth += 1)
      await this.makeFolder(folders.slice(0, depth).join("/"));
    const target = this.canRename ? `${path}.new` : path;
    for (let attempt = 1; !(await this.write(target, bytes)); attempt += 1)
      if (attempt === WRITE_ATTEMPTS) throw differs(path);
    if (this.canRename) await this.repl.run(`_move('${path}')`, { timeoutUs: WRITE_US });
    return "written";
  }

  /** @returns whether the file is now what it should be: a line without flow control may have lost something. */
  private async write(target: string, bytes: Uint8Array): Promise<boolean> {
    await this.repl.run(`f=open('${target}','wb')`, { timeoutUs: WRITE_US });
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      await this.repl.run(`f.write(${literal(bytes.subarray(at, at + PIECE_BYTES))})`, {
        timeoutUs: WRITE_US,
      });
    await this.repl.run("f.close()", { timeoutUs: WRITE_US });
    return await this.holds(target, bytes);
  }

  /** Names in a folder, sorted. @throws FleetrigError BOARD_FILE_INVALID, BOARD_TRACEBACK (no such folder) */
  async list(folder = ""): Promise<string[]> {
    if (folder !== "") checkPath(folder);
    const names = await this.repl.run(
      `${OS}for n in os.listdir(${folder === "" ? "" : `'${folder}'`}):\n print(n)\n`,
    );
    return names
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  }

  /** @throws FleetrigError BOARD_FILE_INVALID, BOARD_TRACEBACK (no such file) */
  async remove(path: string): Promise<void> {
    checkPath(path);
    await this.repl.run(`${OS}os.remove('${path}')\n`);
  }

  /** Makes a folder, if it is not there yet. */
  async makeFolder(path: string): Promise<void> {
    checkPath(path);
    // Which number says that it is there already differs between ports.
    await this.repl.run(
      `${OS}try:\n os.mkdir('${path}')\nexcept OSError:\n if not os.stat('${path}')[0]&0x4000:\n  raise\n`,
    );
  }

  private async prepare(): Promise<void> {
    if (this.isPrepared) return;
    this.canRename = (await this.repl.run(`${OS}print(hasattr(os,'rename'))\n`)).startsWith("True");
    await this.repl.run(SUM_SCRIPT);
    if (this.canRename) await this.repl.run(MOVE_SCRIPT);
    this.isPrepared = true;
  }

  private async holds(path: string, bytes: Uint8Array): Promise<boolean> {
    const [kind, sum] = (await this.repl.run(`print(_sum('${path}'))`, { timeoutUs: SUM_US }))
      .trim()
      .split(" ");
    if (kind === "sha256") return sum === createHash("sha256").update(bytes).digest("hex");
    return kind === "adler32" && sum === adler32(bytes);
  }
}

const OS = "try:\n import os\nexcept ImportError:\n import uos as os\n";

/** Bytes as Python writes them. */
function literal(bytes: Uint8Array): string {
  let text = "b'";
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}'`;
}

function adler32(bytes: Uint8Array): string {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high.toString(16).padStart(4, "0") + low.toString(16).padStart(4, "0");
}

function checkPath(path: string): void {
  if (PATH.test(path) && !path.split("/").includes("..")) return;
  throw new FleetrigError("BOARD_FILE_INVALID", `"${path}" cannot be the name of a file on a board.`, {
    hint: "Names have letters, digits, `_`, `-` and `.`; folders are separated by `/`; there is none in front.",
    exitCode: EXIT.usage,
  });
}

const differs = (path: string): FleetrigError =>
  new FleetrigError("BOARD_FILE_DIFFERS", `${path} on the board is not what was sent.`, {
    hint: "Its file system may be full or damaged: remove files, or erase the board and put MicroPython on it again.",
    context: { path },
  });

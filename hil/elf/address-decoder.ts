import { createHash } from "node:crypto";
import { FleetrigError } from "fleetrig/kernel";
import { type ElfFile, readElf } from "./elf-file.js";
import { LineTable, type SourceLine } from "./line-table.js";

/**
 * Where an address is in a program. The function is the one whose code it is: of inlined calls the line is that of the innermost, the
 * name that of what it was inlined into.
 */
export interface CodePlace {
  readonly function: string;
  /** Bytes from the beginning of the function. */
  readonly offset: number;
  /** Undefined without debug information. */
  readonly source: SourceLine | undefined;
}

/** What a panic says of where it was; see `PanicReport`. */
export interface Backtrace {
  readonly backtrace: readonly number[];
  readonly registers: Readonly<Record<string, number>>;
}

const MAX_REMEMBERED = 10_000;

/** Gives addresses of a firmware names. Reads its tables when the first address is asked for. */
export class AddressDecoder {
  private readonly elf: ElfFile;
  private lines: LineTable | null | undefined;
  private readonly remembered = new Map<number, CodePlace | undefined>();

  /**
   * @param bytes The whole file; kept.
   * @throws FleetrigError `FIRMWARE_ELF_INVALID`
   */
  constructor(private readonly bytes: Uint8Array) {
    this.elf = readElf(bytes);
  }

  /** Whether a board runs this very program: it prints the beginning of the file's SHA-256. */
  isOf(elfSha256: string): boolean {
    return createHash("sha256").update(this.bytes).digest("hex").startsWith(elfSha256.toLowerCase());
  }

  /** Undefined for addresses outside of every function. */
  locate(address: number): CodePlace | undefined {
    if (this.remembered.has(address)) return this.remembered.get(address);
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    const place = this.find(address);
    this.remembered.set(address, place);
    return place;
  }

  /** `measure (sensor.c:88)`, `measure+0x1c` without debug information, `0x400d1234` outside of the program. */
  decode(address: number): string {
    const place = this.locate(address);
    if (place === undefined) return hexadecimal(address);
    const { function: name, offset, source } = place;
    return source === undefined
      ? `${name}+0x${offset.toString(16)}`
      : `${name} (${baseName(source.file)}:${source.line})`;
  }

  private find(address: number): CodePlace | undefined {
    try {
      const symbol = this.elf.functions.at(address);
      if (symbol === undefined) return undefined;
      return { function: symbol.name, offset: symbol.offset, source: this.lineTable()?.at(address) };
    } catch (error) {
      // A damaged table has no answer; the address itself is still one.
      if (error instanceof FleetrigError) return undefined;
      throw error;
    }
  }

  private lineTable(): LineTable | null {
    if (this.lines !== undefined) return this.lines;
    this.lines = null;
    const line = this.elf.section(".debug_line");
    if (line !== undefined) {
      const [lineText, text] = [this.elf.section(".debug_line_str"), this.elf.section(".debug_str")];
      this.lines = new LineTable({ line, lineText, text });
    }
    return this.lines;
  }
}

/**
 * A backtrace for people, the innermost call first. RISC-V's return addresses point behind the call, which may be the next
 * line or even the next function; Xtensa's backtrace has been corrected by the chip.
 * @param decode Such as `AddressDecoder.decode`; undefined: addresses stay numbers.
 */
export function describeBacktrace(
  { backtrace, registers }: Backtrace,
  decode?: (address: number) => string,
): string[] {
  if (decode === undefined) return backtrace.map(hexadecimal);
  const isRiscV = "MEPC" in registers;
  return backtrace.map((address, index) => decode(isRiscV && index > 0 ? address - 1 : address));
}

const hexadecimal = (address: number): string => `0x${address.toString(16).padStart(8, "0")}`;

const baseName = (file: string): string =>
  file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);

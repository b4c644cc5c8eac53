import { FleetrigError } from "fleetrig/kernel";
import { ByteReader, damaged, textAt } from "./byte-reader.js";
import { lastNotAbove } from "./elf-file.js";
import { readLineHeader, type LineHeader } from "./line-header.js";

/**
 * Source lines of addresses, from DWARF's `.debug_line` (versions 2 to 5). Each *unit* holds a program for a small machine; running it
 * gives rows of address, file and line in *sequences* of ascending addresses.
 */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

export interface LineSections {
  readonly line: Uint8Array;
  readonly lineText: Uint8Array | undefined;
  readonly text: Uint8Array | undefined;
}

interface Sequence {
  readonly low: number;
  readonly high: number;
  /** Rows from this index of the table, up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly header: LineHeader;
}

export class LineTable {
  private readonly addresses: number[] = [];
  private readonly files: number[] = [];
  private readonly lines: number[] = [];
  private readonly sequences: Sequence[] = [];
  /** Units that could not be read; the others are as good without them. */
  readonly damagedUnits: number;

  constructor(private readonly sections: LineSections) {
    let broken = 0;
    const reader = new ByteReader(sections.line, ".debug_line");
    while (reader.left > 4) {
      let length = reader.u32();
      const is64 = length === 0xffffffff;
      if (is64) length = reader.left >= 8 ? reader.u64() : Number.NaN;
      if (!(length <= reader.left)) {
        broken += 1;
        break;
      }
      if (!this.readUnit(reader.part(length), is64 ? 8 : 4)) broken += 1;
    }
    this.damagedUnits = broken;
    this.sequences.sort((a, b) => a.low - b.low || a.high - b.high);
  }

  at(address: number): SourceLine | undefined {
    const index = lastNotAbove(this.sequences.length, (i) => this.sequences[i]!.low, address);
    for (let i = index; i >= 0 && i > index - MAX_OVERLAPS; i -= 1) {
      const sequence = this.sequences[i]!;
      if (address < sequence.high) return this.rowAt(sequence, address);
    }
    return undefined;
  }

  private rowAt({ from, to, header }: Sequence, address: number): SourceLine | undefined {
    const row = from + lastNotAbove(to - from, (i) => this.addresses[from + i]!, address);
    const line = this.lines[row]!;
    const file = this.nameOf(header, this.files[row]!);
    return line === 0 || file === undefined ? undefined : { file, line };
  }

  private nameOf({ files, firstFile }: LineHeader, index: number): string | undefined {
    const name = files[index - firstFile];
    if (name === undefined) return undefined;
    const { line, lineText, text } = this.sections;
    const bytes = { inline: line, line: lineText, debug: text }[name.section];
    return bytes === undefined ? undefined : textAt(bytes, name.offset) || undefined;
  }

  private readUnit(reader: ByteReader, offsetSize: number): boolean {
    const mark = this.addresses.length;
    const sequences = this.sequences.length;
    try {
      const header = readLineHeader(reader, offsetSize);
      new LineProgram(header, (rows) => this.addSequence(header, rows)).run(reader);
      return true;
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      for (const column of [this.addresses, this.files, this.lines]) column.length = mark;
      this.sequences.length = sequences;
      return false;
    }
  }

  private addSequence(header: LineHeader, rows: readonly Row[]): void {
    const last = rows.at(-1);
    const first = rows[0];
    // The linker leaves what it has thrown away at address 0.
    if (first === undefined || last === undefined || first.address === 0 || last.address <= first.address)
      return;
    const from = this.addresses.length;
    // Compilers write addresses in order; others are put so.
    const isSorted = rows.every((row, i) => i === 0 || rows[i - 1]!.address <= row.address);
    for (const { address, file, line } of isSorted ? rows : rows.toSorted((a, b) => a.address - b.address)) {
      this.addresses.push(address);
      this.files.push(file);
      this.lines.push(line);
    }
    const [low, high] = [this.addresses[from]!, this.addresses.at(-1)!];
    this.sequences.push({ low, high, from, to: this.addresses.length, header });
  }
}

/** Code of inlined sections may overlap; more than so many deep it is noise. */
const MAX_OVERLAPS = 16;

interface Row {
  readonly address: number;
  readonly file: number;
  readonly line: number;
}

/** Standard and extended opcodes of line number programs. */
const OP = {
  extended: 0,
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const EXTENDED = { endSequence: 1, setAddress: 2 } as const;

class LineProgram {
  private address = 0;
  private opIndex = 0;
  private file = 1;
  private line = 1;
  private rows: Row[] = [];

  constructor(
    private readonly header: LineHeader,
    private readonly done: (rows: readonly Row[]) => void,
  ) {}

  run(reader: ByteReader): void {
    while (reader.left > 0) {
      const opcode = reader.u8();
      if (opcode >= this.header.opcodeBase) this.special(opcode);
      else if (opcode === OP.extended) this.extended(reader);
      else this.standard(opcode, reader);
    }
  }

  private special(opcode: number): void {
    const adjusted = opcode - this.header.opcodeBase;
    this.advance(Math.floor(adjusted / this.header.lineRange));
    this.line += this.header.lineBase + (adjusted % this.header.lineRange);
    this.emit();
  }

  private standard(opcode: number, reader: ByteReader): void {
    switch (opcode) {
      case OP.copy:
        return this.emit();
      case OP.advancePc:
        return this.advance(reader.unsigned());
      case OP.advanceLine:
        this.line += reader.signed();
        return;
      case OP.setFile:
        this.file = reader.unsigned();
        return;
      case OP.constAddPc:
        return this.advance(Math.floor((255 - this.header.opcodeBase) / this.header.lineRange));
      case OP.fixedAdvancePc:
        this.address += reader.u16();
        this.opIndex = 0;
        return;
      default:
        for (let i = 0; i < this.header.operandCounts[opcode - 1]!; i += 1) reader.unsigned();
    }
  }

  private extended(reader: ByteReader): void {
    const length = reader.unsigned();
    if (length === 0) return;
    const part = reader.part(length);
    const opcode = part.u8();
    if (opcode === EXTENDED.setAddress) {
      this.address = part.word(part.left);
      this.opIndex = 0;
    } else if (opcode === EXTENDED.endSequence) {
      this.emit();
      this.done(this.rows);
      this.restart();
    }
  }

  private restart(): void {
    this.rows = [];
    this.address = 0;
    this.opIndex = 0;
    this.file = 1;
    this.line = 1;
  }

  /** DWARF 4, 6.2.5.1: with several operations per instruction the address moves when an instruction is full. */
  private advance(operations: number): void {
    const { minInstruction, maxOperations } = this.header;
    const total = this.opIndex + operations;
    this.address += minInstruction * Math.floor(total / maxOperations);
    this.opIndex = total % maxOperations;
    if (!Number.isSafeInteger(this.address)) throw damaged("an address in .debug_line is out of range");
  }

  private emit(): void {
    this.rows.push({ address: this.address, file: this.file, line: this.line });
  }
}

import { type ByteReader, damaged } from "./byte-reader.js";

/** What stands before the program of a unit of `.debug_line`: how to read it, and the names of its files. */
export interface LineHeader {
  readonly minInstruction: number;
  readonly maxOperations: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Of the standard opcodes from 1. */
  readonly operandCounts: readonly number[];
  readonly files: readonly FileName[];
  /** Number of the first file: 1 before version 5. */
  readonly firstFile: 0 | 1;
}

/** Where a name stands; names are read when somebody asks. */
interface FileName {
  readonly section: "inline" | "line" | "debug";
  readonly offset: number;
}

/** Reads the header and leaves the reader at the program. */
export function readLineHeader(reader: ByteReader, offsetSize: number): LineHeader {
  const version = reader.u16();
  if (version < 2 || version > 5) throw damaged(`.debug_line has version ${version}`);
  if (version >= 5) reader.skip(2);
  const headerLength = reader.word(offsetSize);
  const header = reader.part(headerLength);
  const minInstruction = header.u8();
  const maxOperations = version >= 4 ? header.u8() : 1;
  header.skip(1);
  const lineBase = header.i8();
  const lineRange = header.u8();
  const opcodeBase = header.u8();
  if (lineRange === 0 || opcodeBase === 0 || maxOperations === 0)
    throw damaged("a header of .debug_line is damaged");
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => header.u8());
  const files = version >= 5 ? readTables(header, offsetSize) : readOldTables(header);
  const firstFile = version >= 5 ? 0 : 1;
  return { minInstruction, maxOperations, lineBase, lineRange, opcodeBase, operandCounts, files, firstFile };
}

/** Versions 2 to 4: texts one after the other, each list ends with an empty one. */
function readOldTables(header: ByteReader): FileName[] {
  while (!isEnd(header)) header.skipText();
  const files: FileName[] = [];
  while (!isEnd(header)) {
    files.push({ section: "inline", offset: header.skipText() });
    // Folder, time of change, size.
    for (let i = 0; i < 3; i += 1) header.unsigned();
  }
  return files;
}

function isEnd(header: ByteReader): boolean {
  if (header.bytes[header.offset] !== 0) return false;
  header.skip(1);
  return true;
}

/** Version 5: two tables that say themselves what their entries hold. */
function readTables(header: ByteReader, offsetSize: number): FileName[] {
  readTable(header, offsetSize);
  return readTable(header, offsetSize);
}

const CONTENT_PATH = 1;
const NO_NAME: FileName = { section: "inline", offset: -1 };

function readTable(header: ByteReader, offsetSize: number): FileName[] {
  const formats = Array.from({ length: header.u8() }, () => [header.unsigned(), header.unsigned()] as const);
  const count = header.unsigned();
  // Every entry has at least a byte, or a small file could promise any number of them.
  if (count > header.left || (formats.length === 0 && count > 0))
    throw damaged("a table of .debug_line is damaged");
  return Array.from({ length: count }, () => {
    let name = NO_NAME;
    for (const [content, form] of formats) {
      const text = readForm(header, form, offsetSize);
      if (content === CONTENT_PATH && text !== undefined) name = text;
    }
    return name;
  });
}

/** Bytes of forms of a fixed size: data1, data2, data4, data8, data16, strx1 to strx4. */
const FIXED_FORMS: Readonly<Record<number, number>> = {
  0x0b: 1,
  0x05: 2,
  0x06: 4,
  0x07: 8,
  0x1e: 16,
  0x25: 1,
  0x26: 2,
  0x27: 3,
  0x28: 4,
};

/** Passes a value. @returns where it stands, when it is a text that can be found here */
function readForm(header: ByteReader, form: number, offsetSize: number): FileName | undefined {
  const fixed = FIXED_FORMS[form];
  if (fixed !== undefined) {
    header.skip(fixed);
    return undefined;
  }
  switch (form) {
    case 0x08:
      return { section: "inline", offset: header.skipText() };
    case 0x1f:
      return { section: "line", offset: header.word(offsetSize) };
    case 0x0e:
      return { section: "debug", offset: header.word(offsetSize) };
    case 0x0f:
    case 0x1a:
      header.unsigned();
      return undefined;
    case 0x09:
      header.skip(header.unsigned());
      return undefined;
    case 0x0a:
      header.skip(header.u8());
      return undefined;
    default:
      throw damaged(`.debug_line has a form ${form}`);
  }
}

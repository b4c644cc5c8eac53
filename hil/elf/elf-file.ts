import { inflateSync } from "node:zlib";
import { ByteReader, damaged, textAt } from "./byte-reader.js";

/**
 * ELF files as compilers make them for the chips of boards, and for this machine: 32 or 64 bits, little-endian. Only what is
 * needed to give addresses names: sections, and the symbols of functions.
 */
export interface ElfFile {
  readonly is64: boolean;
  /** Bytes of a section, inflated; undefined when there is none of that name, or it has no bytes in the file. */
  section(name: string): Uint8Array | undefined;
  /** Functions by their first address, ascending. */
  readonly functions: FunctionTable;
}

/** Larger files are firmware of nothing that this is for. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;
const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_EXECINSTR = 4;
const SHF_COMPRESSED = 0x800;
const ELFCOMPRESS_ZLIB = 1;

interface SectionHeader {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

/**
 * @throws FleetrigError `FIRMWARE_ELF_INVALID`
 */
export function readElf(bytes: Uint8Array): ElfFile {
  if (bytes.length > MAX_FILE_BYTES) throw damaged("it is larger than 512 MiB");
  const { is64, sectionsAt, sectionSize, sectionCount, namesIndex } = readHeader(bytes);
  const wanted = is64 ? 64 : 40;
  if (sectionSize !== wanted) throw damaged(`its sections have headers of ${sectionSize} bytes`);
  const headers = new ByteReader(
    bytes,
    "the table of sections",
    sectionsAt,
    sectionsAt + sectionCount * wanted,
  );
  const sections = Array.from({ length: sectionCount }, () => readSectionHeader(headers, is64));
  const names = sections[namesIndex];
  if (names === undefined) throw damaged("its sections have no names");
  const content = (header: SectionHeader): Uint8Array => {
    if (header.type === SHT_NOBITS) return bytes.subarray(0, 0);
    const raw = new ByteReader(bytes, "a section", header.offset, header.offset + header.size);
    const part = bytes.subarray(raw.offset, raw.offset + header.size);
    return (header.flags & SHF_COMPRESSED) === 0 ? part : inflate(part, is64);
  };
  const nameBytes = content(names);
  let functions: FunctionTable | undefined;
  return {
    is64,
    section(name) {
      const header = sections.find((one) => textAt(nameBytes, one.name) === name);
      return header === undefined || header.type === SHT_NOBITS ? undefined : content(header);
    },
    get functions() {
      functions ??= readFunctions({ sections, content, is64 });
      return functions;
    },
  };
}

function readHeader(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, "the header");
  if (reader.u32() !== 0x464c457f) throw damaged("it does not begin as one");
  const bits = reader.u8();
  if (bits !== 1 && bits !== 2) throw damaged("it is neither of 32 nor of 64 bits");
  if (reader.u8() !== 1) throw damaged("it is not little-endian");
  const is64 = bits === 2;
  const word = is64 ? 8 : 4;
  reader.skip(10 + 2 + 2 + 4 + word + word);
  const sectionsAt = reader.word(word);
  reader.skip(4 + 2 + 2 + 2);
  const sectionSize = reader.u16();
  return { is64, sectionsAt, sectionSize, sectionCount: reader.u16(), namesIndex: reader.u16() };
}

function readSectionHeader(reader: ByteReader, is64: boolean): SectionHeader {
  const word = is64 ? 8 : 4;
  const name = reader.u32();
  const type = reader.u32();
  const flags = reader.word(word);
  reader.skip(word);
  const offset = reader.word(word);
  const size = reader.word(word);
  const link = reader.u32();
  reader.skip(4 + word);
  return { name, type, flags, offset, size, link, entrySize: reader.word(word) };
}

function inflate(bytes: Uint8Array, is64: boolean): Uint8Array {
  const header = new ByteReader(bytes, "a compressed section");
  if (header.u32() !== ELFCOMPRESS_ZLIB) throw damaged("a section is compressed in a way that is not known");
  header.skip(is64 ? 20 : 8);
  try {
    return inflateSync(bytes.subarray(header.offset), { maxOutputLength: MAX_INFLATED_BYTES });
  } catch {
    throw damaged("a compressed section is damaged");
  }
}

interface SymbolSources {
  readonly sections: readonly SectionHeader[];
  readonly content: (header: SectionHeader) => Uint8Array;
  readonly is64: boolean;
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;

interface FunctionSymbol {
  readonly address: number;
  readonly size: number;
  /** Where its name begins in the table of names. */
  readonly name: number;
}

function readFunctions({ sections, content, is64 }: SymbolSources): FunctionTable {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  if (table === undefined) return new FunctionTable([], new Uint8Array());
  const entrySize = is64 ? 24 : 16;
  if (table.entrySize !== entrySize) throw damaged(`its symbols have ${table.entrySize} bytes`);
  const names = sections[table.link];
  if (names === undefined) throw damaged("its symbols have no names");
  const bytes = content(table);
  const reader = new ByteReader(bytes, "the table of symbols");
  const isCode = sections.map(({ flags }) => (flags & SHF_EXECINSTR) !== 0);
  const functions: FunctionSymbol[] = [];
  while (reader.left >= entrySize) {
    const { type, section, ...symbol } = readSymbol(reader, is64);
    // Assembler code has labels without a type.
    const isFunction = type === STT_FUNC || (type === STT_NOTYPE && isCode[section] === true);
    if (isFunction && symbol.address !== 0 && symbol.name !== 0) functions.push(symbol);
  }
  return new FunctionTable(functions, content(names));
}

function readSymbol(reader: ByteReader, is64: boolean) {
  const name = reader.u32();
  if (is64) {
    const type = reader.u8() & 0xf;
    reader.skip(1);
    const section = reader.u16();
    return { name, type, section, address: reader.u64(), size: reader.u64() };
  }
  const address = reader.u32();
  const size = reader.u32();
  const type = reader.u8() & 0xf;
  reader.skip(1);
  return { name, type, section: reader.u16(), address, size };
}

/** Functions by address. */
class FunctionTable {
  private readonly sorted: readonly FunctionSymbol[];

  constructor(
    functions: readonly FunctionSymbol[],
    private readonly names: Uint8Array,
  ) {
    // Of several names for an address the one with a size is the function's, the others are labels.
    this.sorted = functions.toSorted((a, b) => a.address - b.address || a.size - b.size);
  }

  get count(): number {
    return this.sorted.length;
  }

  /** The name of every function with its first address. */
  *entries(): IterableIterator<{ readonly name: string; readonly address: number }> {
    for (const { name, address } of this.sorted) yield { name: textAt(this.names, name), address };
  }

  /** The function that the address is in. A label without a size names what follows it, where no function claims that. */
  at(address: number): { readonly name: string; readonly offset: number } | undefined {
    const index = lastNotAbove(this.sorted.length, (i) => this.sorted[i]!.address, address);
    let label: { readonly name: string; readonly offset: number } | undefined;
    for (let i = index; i >= 0 && i > index - MAX_LABELS; i -= 1) {
      const { size, name, address: begin } = this.sorted[i]!;
      const text = textAt(this.names, name);
      // Mapping symbols, such as RISC-V's `$x`, say what follows and are no functions.
      if (text.startsWith("$") || text.startsWith(".L")) continue;
      const place = { name: text, offset: address - begin };
      if (size > 0) return address < begin + size ? place : label;
      label ??= place;
    }
    return label;
  }
}

/** More labels than this do not stand before an address in its function. */
const MAX_LABELS = 256;

/** Index of the last of `count` ascending values that is not above `wanted`; -1 when all are. */
export function lastNotAbove(count: number, valueAt: (index: number) => number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueAt(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

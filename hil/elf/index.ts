export { AddressDecoder, type Backtrace, type CodePlace, describeBacktrace } from "./address-decoder.js";
export { type ElfFile, FunctionTable, readElf } from "./elf-file.js";
export { LineTable, type SourceLine } from "./line-table.js";

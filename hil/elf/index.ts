export { AddressDecoder, type Backtrace, type CodePlace, describeBacktrace } from "./address-decoder.js";
export { readElf } from "./elf-file.js";
export { LineTable } from "./line-table.js";

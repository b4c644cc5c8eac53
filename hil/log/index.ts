export { BoardLog, type BoardLogHandlers, type RestartNotice } from "./board-log.js";
export type { BootMode, BootReport } from "./boot-log.js";
export { compileLinePattern, type LinePattern } from "./line-pattern.js";
export type { LogLevel, LogLine } from "./log-line.js";
export { type LineWait, type LineWaitOutcome, LogWatch } from "./log-watch.js";
export type { PanicEnd, PanicReport } from "./panic.js";
export { isPanic } from "./panic-signatures.js";
export { type ResetClass, resetClassOfCode, resetClassOfName } from "./reset-reason.js";
export { MAX_LINE_BYTES, TextLane, type TextLine } from "./text-lane.js";

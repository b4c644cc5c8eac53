import { grouped } from "../metrics/format-quantity.js";

/**
 * Text that came from devices and scenarios, made safe to print. Every renderer passes data through `plainText`
 * before its own escaping: terminal sequences, control characters and bidirectional overrides never reach a reader.
 */

/** ECMA-48: CSI, OSC and the other string sequences, and two-character escapes, in their 7-bit and 8-bit forms. */
const TERMINAL_SEQUENCES =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;

/** Overrides and isolates can make text read differently from what it is; so can an invisible tag block. */
const DIRECTION_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const LINE_BREAKS = /[\t\n\r\u2028\u2029]+/g;

/** Keeps line breaks and tabs. */
export const plainLines = (text: string): string =>
  text
    .replace(LONE_SURROGATES, "\ufffd")
    .replace(TERMINAL_SEQUENCES, "")
    .replace(CONTROLS, "")
    .replace(DIRECTION_CONTROLS, "");

/** One line. */
export const plainText = (text: string): string => plainLines(text).replace(LINE_BREAKS, " ");

/** A noun with its number: `1 run`, `2,000 runs`. */
export const counted = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;

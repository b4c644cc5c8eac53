import { parseBitsPerSecond, parseDurationUs, parsePercent, parseRatePerSecond } from "fleetrig/kernel";
import { z } from "zod";
import { message, nameValue } from "./message.js";

interface Quantity {
  readonly noun: string;
  readonly example: string;
  /** What to write instead of the bare number `n`. */
  readonly fromNumber: (n: number) => string;
  /** For editors; `parse` decides. */
  readonly pattern: RegExp;
  readonly parse: (text: string) => number | undefined;
}

const DURATION: Quantity = {
  noun: "a duration",
  example: "30s",
  fromNumber: (n) => `${n}s`,
  pattern: /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d))+$|^P(?=.)(?:\d+(?:\.\d+)?D)?(?:T[\d.HMS]+)?$/,
  parse: parseDurationUs,
};

const RATE: Quantity = {
  noun: "a rate",
  example: "100/s",
  fromNumber: (n) => `${n}/s`,
  pattern: /^\d{1,12}(?:\.\d{1,9})?\/(?:s|m|h)$/,
  parse: parseRatePerSecond,
};

const PERCENT: Quantity = {
  noun: "a percentage",
  example: "40%",
  fromNumber: (n) => (n > 0 && n <= 1 ? `${n * 100}%` : `${n}%`),
  pattern: /^\d{1,12}(?:\.\d{1,9})?%$/,
  parse: parsePercent,
};

const BITRATE: Quantity = {
  noun: "a bandwidth",
  example: "256kbit/s",
  fromNumber: (n) => `${n}kbit/s`,
  pattern: /^\d{1,12}(?:\.\d{1,9})?(?:bit|kbit|Mbit|Gbit)\/s$/,
  parse: parseBitsPerSecond,
};

/** Code of a number that was written without its unit. */
const UNIT_MISSING = "SCENARIO_UNIT_MISSING";

/** Longest quantity in characters: bounds the work of the patterns. */
const MAX_CHARS = 64;

function wrongKind(quantity: Quantity, input: unknown): string {
  const sentence = `Expected ${quantity.noun} with its unit, such as ${quantity.example}, but found ${nameValue(input)}.`;
  if (typeof input !== "number") return message(sentence);
  return message(sentence, `Write ${quantity.fromNumber(input)}, or whichever unit is meant.`, UNIT_MISSING);
}

/** The message for what should have been a duration. */
export const notADuration = (input: unknown): string => wrongKind(DURATION, input);

function unreadable(quantity: Quantity, input: unknown): string {
  const sentence = `${nameValue(input)} is not ${quantity.noun}.`;
  if (!/^\d{1,12}(\.\d{1,9})?$/.test(String(input)))
    return message(sentence, `Write it like ${quantity.example}.`, "SCENARIO_UNIT");
  const written = quantity.fromNumber(Number(input));
  return message(sentence, `Write ${written}, or whichever unit is meant.`, UNIT_MISSING);
}

const quantitySchema = (quantity: Quantity, description: string) =>
  z
    .string({ error: (issue) => wrongKind(quantity, issue.input) })
    .refine((text) => text.length <= MAX_CHARS && quantity.parse(text) !== undefined, {
      error: (issue) => unreadable(quantity, issue.input),
    })
    .meta({ description, pattern: quantity.pattern.source, examples: [quantity.example] });

/** `250ms`, `30s`, `1h30m`, ISO-8601 `PT5M`. Never a bare number. */
export const duration = (description: string) => quantitySchema(DURATION, description);

/** `100/s`, `30/m`. */
export const rate = (description: string) => quantitySchema(RATE, description);

/** `40%`: a share from 0 % to 100 %. */
export const share = (description: string) =>
  quantitySchema(PERCENT, description).refine((text) => (parsePercent(text) ?? 0) <= 1, {
    error: (issue) =>
      message(`${String(issue.input)} is more than 100 %.`, "A share lies between 0% and 100%."),
  });

/** `256kbit/s`, `1Mbit/s`. */
export const bitrate = (description: string) => quantitySchema(BITRATE, description);

/** Durations in µs of a checked document. */
export const durationUs = (text: string): number => parseDurationUs(text) ?? Number.NaN;

/** Events per second of a checked document. */
export const ratePerSecond = (text: string): number => parseRatePerSecond(text) ?? Number.NaN;

/** Fraction of a checked document: `40%` is 0.4. */
export const fraction = (text: string): number => parsePercent(text) ?? Number.NaN;

/** Bits per second of a checked document. */
export const bitsPerSecond = (text: string): number => parseBitsPerSecond(text) ?? Number.NaN;

/** Patterns for editors, by name of the quantity. */
export const QUANTITY_PATTERNS: Readonly<Record<string, string>> = {
  duration: DURATION.pattern.source,
  rate: RATE.pattern.source,
  percentage: PERCENT.pattern.source,
  bandwidth: BITRATE.pattern.source,
};

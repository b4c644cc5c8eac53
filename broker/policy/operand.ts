import type { ConditionOperator, OperandKind } from "./condition-operator.js";
import { parseInstantMs } from "./instant.js";
import { ipRangeHas, parseIpAddress, parseIpRange } from "./ip-range.js";
import { ANY_RUN, type PatternPiece, patternText } from "./pattern.js";
import { matchesPieces } from "./wildcard.js";

/** Judges the value of a key: undefined when the two cannot be compared, such as a number with a word. */
export type OperandTest = (actual: string) => boolean | undefined;

type Signs = ConditionOperator["signs"];

/** Makes the test of one value of a condition; its variables have their values already. */
export function operandTest(
  { operand, signs }: ConditionOperator,
  pieces: readonly PatternPiece[],
): OperandTest {
  return TESTS[operand](pieces, signs);
}

/** Is the text of this kind at all? */
export const isOperand = (kind: OperandKind, text: string): boolean => {
  if (kind === "number") return parseNumber(text) !== undefined;
  if (kind === "date") return parseInstantMs(text) !== undefined;
  if (kind === "ip") return parseIpRange(text) !== undefined;
  if (kind === "arn") return text === "*" || text.split(":").length >= ARN_PARTS;
  return kind === "bool" || kind === "null" ? parseBoolean(text) !== undefined : true;
};

const TESTS: Readonly<Record<OperandKind, (pieces: readonly PatternPiece[], signs: Signs) => OperandTest>> = {
  string: (pieces) => {
    const expected = patternText(pieces);
    return (actual) => actual === expected;
  },
  stringIgnoreCase: (pieces) => {
    const expected = patternText(pieces).toLowerCase();
    return (actual) => actual.toLowerCase() === expected;
  },
  like: (pieces) => (actual) => matchesPieces(pieces, actual),
  number: (pieces, signs) => orderedTest(parseNumber, patternText(pieces), signs),
  date: (pieces, signs) => orderedTest(parseInstantMs, patternText(pieces), signs),
  bool: (pieces) => {
    const expected = parseBoolean(patternText(pieces));
    return (actual) => {
      const value = parseBoolean(actual);
      return value === undefined || expected === undefined ? undefined : value === expected;
    };
  },
  ip: (pieces) => {
    const range = parseIpRange(patternText(pieces));
    // A connection asks with the same address for every packet.
    let lastText = "";
    let address = parseIpAddress(lastText);
    return (actual) => {
      if (actual !== lastText) {
        lastText = actual;
        address = parseIpAddress(actual);
      }
      return address === undefined || range === undefined ? undefined : ipRangeHas(range, address);
    };
  },
  arn: arnTest,
  // Whether a key exists is not a matter of its value.
  null: () => () => undefined,
};

function orderedTest(
  parse: (text: string) => number | undefined,
  text: string,
  signs: Signs = [],
): OperandTest {
  const expected = parse(text);
  return (actual) => {
    const value = parse(actual);
    return value === undefined || expected === undefined
      ? undefined
      : signs.some((sign) => sign === Math.sign(value - expected));
  };
}

function parseNumber(text: string): number | undefined {
  const value = /^[+-]?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$/.test(text)
    ? Number(text)
    : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Texts of booleans, as JSON and as people write them. */
export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

const ARN_PARTS = 6;

/** The six parts of an ARN match one by one, so that no wildcard reaches over a colon (IAM, ArnLike). */
function arnTest(pieces: readonly PatternPiece[]): OperandTest {
  const patterns = arnParts(pieces);
  if (patterns === undefined) return () => undefined;
  return (actual) => {
    const parts = arnTextParts(actual);
    if (parts === undefined) return undefined;
    return patterns.every((pattern, index) => matchesPieces(pattern, parts[index]!));
  };
}

function arnTextParts(text: string): readonly string[] | undefined {
  const parts = text.split(":");
  if (parts.length < ARN_PARTS) return undefined;
  return [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(":")];
}

/** `*` alone stands for every ARN. */
function arnParts(pieces: readonly PatternPiece[]): readonly (readonly PatternPiece[])[] | undefined {
  if (pieces.length === 1 && pieces[0] === ANY_RUN) return Array.from({ length: ARN_PARTS }, () => [ANY_RUN]);
  const parts: PatternPiece[][] = [[]];
  for (const piece of pieces) {
    const texts: readonly PatternPiece[] =
      typeof piece === "string" ? splitArn(piece, parts.length) : [piece];
    for (const [index, text] of texts.entries()) {
      if (index > 0) parts.push([]);
      parts.at(-1)!.push(text);
    }
  }
  return parts.length === ARN_PARTS ? parts : undefined;
}

/** Splits at the colons that still separate parts. */
function splitArn(text: string, partsSoFar: number): readonly string[] {
  const all = text.split(":");
  const separate = Math.min(all.length, ARN_PARTS - partsSoFar + 1);
  return [...all.slice(0, separate - 1), all.slice(separate - 1).join(":")];
}

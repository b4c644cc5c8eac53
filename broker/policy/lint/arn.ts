import { canonicalKey } from "../context-keys.js";
import type { PolicyStatement, PolicyText, PolicyVersion } from "../document.js";
import { type ANY_ONE, ANY_RUN, parsePattern, type PatternPiece, variablesOf } from "../pattern.js";

/** A resource pattern taken apart: `arn:partition:service:region:account:kind/name`. */
export interface ArnPattern {
  readonly at: PolicyText;
  readonly text: string;
  /** Partition, service, region, account; undefined when the text has fewer parts. */
  readonly fields: readonly [partition: string, service: string, region: string, account: string] | undefined;
  /** The word before the slash; undefined when a wildcard may stand for any. */
  readonly kind: string | undefined;
  /** What is behind the slash, as written. */
  readonly name: string;
  readonly pieces: readonly PatternPiece[];
}

/** Takes a resource apart as far as its wildcards let it. */
function readArn(at: PolicyText, version: PolicyVersion): ArnPattern {
  const { text } = at;
  const [, partition, service, region, account, ...rest] = text.split(":");
  const resource = rest.join(":");
  const slash = resource.indexOf("/");
  const word = slash === -1 ? resource : resource.slice(0, slash);
  const isWhole = account !== undefined && rest.length > 0;
  return {
    at,
    text,
    fields: isWhole ? [partition!, service!, region!, account] : undefined,
    kind: !isWhole || /[*?$]/.test(word) ? undefined : word,
    name: slash === -1 ? "" : resource.slice(slash + 1),
    pieces: piecesOf(text, version),
  };
}

/** Resources of a statement. */
export const arnsOf = (statement: PolicyStatement, version: PolicyVersion): readonly ArnPattern[] =>
  statement.resource.patterns.map((pattern) => readArn(pattern, version));

export const piecesOf = (text: string, version: PolicyVersion): readonly PatternPiece[] =>
  parsePattern(text, { version, hasWildcards: true, canonicalKey });

/** Has the pattern a run somewhere in its name? */
export const hasRun = ({ name }: ArnPattern, version: PolicyVersion): boolean =>
  piecesOf(name, version).includes(ANY_RUN);

/** `+` or `#` written out. */
export const hasMqttWildcard = ({ name }: ArnPattern, version: PolicyVersion): boolean =>
  piecesOf(name, version).some((piece) => typeof piece === "string" && /[+#]/.test(piece));

/** May one text match both? A variable has the same value on both sides; one that only one side has may have any. */
export function overlap(a: readonly PatternPiece[], b: readonly PatternPiece[]): boolean {
  const others = new Set(variablesOf(b));
  const shared = variablesOf(a).filter((key) => others.has(key));
  const [rows, columns] = [tokensOf(a, shared), tokensOf(b, shared)];
  // reached[j]: the first i tokens of a and j of b can stand for the same text.
  let reached = columns.map(() => false);
  for (let i = 0; i <= rows.length; i += 1) {
    const next: boolean[] = [];
    for (let j = 0; j <= columns.length; j += 1) {
      const [left, up] = [j > 0 && next[j - 1]!, i > 0 && reached[j]!];
      const both = i > 0 && j > 0 && reached[j - 1]! && alike(rows[i - 1]!, columns[j - 1]!);
      next[j] =
        (i === 0 && j === 0) ||
        both ||
        (left && isOpen(columns[j - 1]!, rows[i - 1])) ||
        (up && isOpen(rows[i - 1]!, columns[j - 1]));
    }
    reached = next;
  }
  return reached[columns.length]!;
}

type Token = string | typeof ANY_RUN | typeof ANY_ONE;

/** Letters, wildcards, and names of variables: no letter is as long as those. */
const tokensOf = (pieces: readonly PatternPiece[], shared: readonly string[]): readonly Token[] =>
  pieces.flatMap((piece): readonly Token[] => {
    if (typeof piece === "string") return Array.from(piece);
    if (typeof piece !== "object") return [piece];
    return [shared.includes(piece.key) ? `\${${piece.key}}` : ANY_RUN];
  });

const alike = (a: Token, b: Token): boolean => typeof a !== "string" || typeof b !== "string" || a === b;

/** A run stands for nothing, or goes on over one more token of the other side. */
const isOpen = (token: Token, other: Token | undefined): boolean => token === ANY_RUN || other === ANY_RUN;

import { cloudError } from "../cloud-error.js";
import { queryError } from "./errors.js";
import { Glob } from "./glob.js";
import type { QueryLimits } from "./limits.js";
import type { Query, Range, ValueTest } from "./query.js";
import { type Token, tokensOf } from "./query-lexer.js";
import { numberOf, wordsOf } from "./words.js";

/*
 * query   := or
 * or      := and ("OR" and)*
 * and     := unary ("AND"? unary)*
 * unary   := ("NOT" | "-") unary | "(" or ")" | field ":" value | field compare literal | value
 * value   := "(" or ")" | range | compare literal | literal       "(" keeps the field for what is inside
 * range   := ("[" | "{") bound "TO" bound ("]" | "}")              a bound is a literal or *
 * literal := word | quotation                                      AND binds tighter than OR
 */

/** Names under which AWS's managed fields can be asked for, besides their own. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["registry.thingName", "thingName"],
  ["registry.thingId", "thingId"],
  ["registry.thingTypeName", "thingTypeName"],
  ["registry.thingGroupNames", "thingGroupNames"],
]);

/** The name under which a field is indexed. */
export const canonicalField = (name: string): string => ALIASES.get(name) ?? name;

/**
 * Parses a query of the language `2017-09-30` (REF §13.3).
 * @throws FleetrigError `CLOUD_INVALID_QUERY` with the position.
 */
export function parseQuery(query: string, limits: QueryLimits): Query {
  if (query.length > limits.maxQueryLength) {
    throw cloudError(
      "InvalidQueryException",
      `The query has ${query.length} characters; ${limits.maxQueryLength} are allowed.`,
      { hint: "Shorten it, or ask in several queries." },
    );
  }
  return new Parser(query, limits).parse();
}

class Parser {
  private readonly tokens: readonly Token[];
  private next = 0;
  private terms = 0;
  private leadingWildcards = 0;
  private nesting = 0;

  constructor(
    private readonly query: string,
    private readonly limits: QueryLimits,
  ) {
    this.tokens = tokensOf(query);
  }

  parse(): Query {
    if (this.peek().kind === "end") throw queryError(0, "there is nothing", "Write * for all things.");
    const query = this.or(undefined);
    if (this.peek().kind === "end") return query;
    throw queryError(this.peek().at, `${this.peek().text} is out of place`, "Parentheses must be in pairs.");
  }

  private peek(): Token {
    return this.tokens[this.next]!;
  }

  private take(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.next += 1;
    return token;
  }

  private isOperator(name: "AND" | "OR" | "NOT" | "TO"): boolean {
    const { kind, text, isEscaped } = this.peek();
    return kind === "word" && text === name && !isEscaped;
  }

  private or(field: string | undefined): Query {
    const parts = [this.and(field)];
    while (this.isOperator("OR")) {
      this.take();
      parts.push(this.and(field));
    }
    return parts.length === 1 ? parts[0]! : { kind: "or", parts };
  }

  private and(field: string | undefined): Query {
    const parts = [this.unary(field)];
    for (;;) {
      if (this.isOperator("AND")) this.take();
      else if (this.isOperator("OR") || this.peek().kind === "close" || this.peek().kind === "end") break;
      parts.push(this.unary(field));
    }
    return parts.length === 1 ? parts[0]! : { kind: "and", parts };
  }

  private unary(field: string | undefined): Query {
    const { at, kind, text } = this.peek();
    if (kind === "open") return this.group(field);
    if (kind === "minus" || this.isOperator("NOT")) {
      this.take();
      return this.deeper(at, () => ({ kind: "not", part: this.unary(field) }));
    }
    if (this.isOperator("AND") || this.isOperator("OR")) {
      throw queryError(at, `${text} has nothing before it`, `Escape it (\\${text}) to look for the word.`);
    }
    return this.clause(field);
  }

  private group(field: string | undefined): Query {
    const { at } = this.take();
    return this.deeper(at, () => {
      const inside = this.or(field);
      if (this.take().kind !== "close") throw queryError(at, "this parenthesis is never closed", "Add a ).");
      return inside;
    });
  }

  private deeper(at: number, read: () => Query): Query {
    this.nesting += 1;
    if (this.nesting > this.limits.maxNesting) {
      throw queryError(
        at,
        `more than ${this.limits.maxNesting} levels of nesting`,
        "Write the query flatter.",
      );
    }
    const query = read();
    this.nesting -= 1;
    return query;
  }

  private clause(outer: string | undefined): Query {
    const { kind: follower } = this.tokens[this.next + 1] ?? this.peek();
    const isField = this.peek().kind === "word" && (follower === "colon" || follower === "compare");
    if (!isField) return this.value(outer);
    const name = this.take();
    if (name.parts.some((part) => typeof part !== "string")) {
      throw queryError(
        name.at,
        "a field name has a wildcard",
        "Write the name in full; it is case-sensitive.",
      );
    }
    if (this.peek().kind === "colon") this.take();
    const field = canonicalField(name.text);
    return this.peek().kind === "open" ? this.group(field) : this.value(field);
  }

  private value(field: string | undefined): Query {
    const token = this.peek();
    const test = this.test(field);
    this.terms += 1;
    if (this.terms > this.limits.maxTerms) {
      throw queryError(
        token.at,
        `there are more than ${this.limits.maxTerms} terms`,
        "Ask for less at once.",
      );
    }
    if (test.kind === "exists" && field === undefined) return { kind: "all" };
    return { kind: "term", field, test };
  }

  private test(field: string | undefined): ValueTest {
    const token = this.take();
    if (token.kind === "rangeOpen") return this.range(token);
    if (token.kind === "compare") return this.comparison(token);
    if (token.kind === "quoted") return exactTest(token.text);
    if (token.kind !== "word") {
      const found = token.kind === "end" ? "the query ends" : `there is ${token.text}`;
      throw queryError(
        token.at,
        `${found} where a value is expected`,
        "Write a term, a quotation or a range.",
      );
    }
    if (this.peek().kind === "colon" && field !== undefined) {
      throw queryError(
        this.peek().at,
        "a value has a colon",
        "Escape it (\\:) or put the value between quotation marks.",
      );
    }
    return token.text === "*" && !token.isEscaped ? { kind: "exists" } : this.wordTest(token);
  }

  private wordTest(token: Token): ValueTest {
    const { parts, at } = token;
    const wilds = parts.filter((part) => typeof part !== "string");
    if (wilds.length === 0) return exactTest(token.text);
    const { maxStarsPerTerm, maxQuestionMarksPerTerm } = this.limits;
    const stars = wilds.filter(({ wild }) => wild === "*").length;
    if (stars > maxStarsPerTerm || wilds.length - stars > maxQuestionMarksPerTerm) {
      throw queryError(
        at,
        `a term has ${stars} * and ${wilds.length - stars} ?`,
        `At most ${maxStarsPerTerm} * and ${maxQuestionMarksPerTerm} ? are allowed in a term.`,
      );
    }
    if (typeof parts[0] !== "string") this.countLeadingWildcard(at);
    return { kind: "glob", glob: Glob.of(parts) };
  }

  private countLeadingWildcard(at: number): void {
    const { maxLeadingWildcards, maxLeadingWildcardQueryLength } = this.limits;
    this.leadingWildcards += 1;
    if (this.leadingWildcards > maxLeadingWildcards) {
      const allowed = maxLeadingWildcards === 0 ? "No term" : `At most ${maxLeadingWildcards} of the terms`;
      throw queryError(at, "a term begins with a wildcard", `${allowed} may begin with a wildcard.`);
    }
    if (this.query.length > maxLeadingWildcardQueryLength) {
      throw queryError(
        at,
        `a term begins with a wildcard in a query of ${this.query.length} characters`,
        `Such a query has at most ${maxLeadingWildcardQueryLength} characters.`,
      );
    }
  }

  private comparison(operator: Token): ValueTest {
    const bound = this.bound();
    if (bound === undefined) {
      throw queryError(operator.at, `${operator.text} compares with *`, "Compare with a number or a text.");
    }
    const isExcluded = operator.text.length === 1;
    const isUpper = operator.text.startsWith("<");
    return rangeTest(isUpper ? undefined : bound, isUpper ? bound : undefined, {
      isFromExcluded: isExcluded && !isUpper,
      isToExcluded: isExcluded && isUpper,
    });
  }

  private range(open: Token): ValueTest {
    const from = this.bound();
    if (!this.isOperator("TO")) {
      throw queryError(this.peek().at, "a range has no TO here", "Write [from TO to].");
    }
    this.take();
    const to = this.bound();
    const close = this.take();
    if (close.kind !== "rangeClose")
      throw queryError(open.at, "this range is never closed", "Close it with ] or }.");
    if (from === undefined && to === undefined) return { kind: "exists" };
    return rangeTest(from, to, { isFromExcluded: open.text === "{", isToExcluded: close.text === "}" });
  }

  /** Undefined for `*`, which leaves that end open. */
  private bound(): Token | undefined {
    const token = this.take();
    if (token.kind === "quoted") return token;
    const wild = token.parts.find((part) => typeof part !== "string");
    if (token.kind !== "word" || (wild !== undefined && token.text !== "*")) {
      throw queryError(token.at, "a number or a text is expected here", "Wildcards cannot be compared with.");
    }
    return wild === undefined ? token : undefined;
  }
}

function exactTest(text: string): ValueTest {
  const words = wordsOf(text);
  if (words.length > 1) return { kind: "phrase", words };
  return { kind: "exact", text: words[0]!, number: numberOf(text.trim()) };
}

/** Numbers are compared as numbers when no end is a text; quotation marks make a text of any number. */
function rangeTest(
  from: Token | undefined,
  to: Token | undefined,
  ends: Pick<Range<never>, "isFromExcluded" | "isToExcluded">,
): ValueTest {
  const [low, high] = [from, to].map((end) => (end?.kind === "word" ? numberOf(end.text) : undefined));
  const isNumeric = (from === undefined || low !== undefined) && (to === undefined || high !== undefined);
  if (isNumeric) {
    return {
      kind: "numbers",
      range: { ...ends, ...(low !== undefined && { from: low }), ...(high !== undefined && { to: high }) },
    };
  }
  return {
    kind: "texts",
    range: {
      ...ends,
      ...(from !== undefined && { from: from.text.toLowerCase() }),
      ...(to !== undefined && { to: to.text.toLowerCase() }),
    },
  };
}

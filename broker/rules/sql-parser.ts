import { isTopicFilter } from "fleetrig/protocol";
import { CAST_TYPES, FUNCTIONS } from "./functions.js";
import type { BinaryOperator, Expression, RuleStatement, SelectItem } from "./sql-ast.js";
import { syntaxError, type Token, tokenize } from "./sql-lexer.js";

/**
 * Recursive descent over the subset that runs today:
 *
 *   statement = SELECT item {"," item} FROM string [WHERE or]
 *   item      = "*" | or [AS path]
 *   or        = and {OR and}          and = not {AND not}        not = NOT not | compare
 *   compare   = sum [("="|"<>"|">"|">="|"<"|"<="|IN) sum]
 *   sum       = product {("+"|"-") product}                      product = unary {("*"|"/"|"%") unary}
 *   unary     = "-" unary | primary
 *   call      = name "(" list ")" | CAST "(" or AS type ")"
 *   primary   = number | string | TRUE | FALSE | NULL | call | path | "(" or ")" | "[" list "]" | "{" entries "}" | case
 *   case      = CASE or {WHEN or THEN or} [ELSE or] END
 *
 * SET, SELECT VALUE, nested SELECT and EXISTS are refused by name rather than misread.
 */
export function parseRuleSql(sql: string): RuleStatement {
  return new Parser(sql).statement();
}

/** Parses the inside of a `${...}` substitution template. */
export function parseRuleExpression(text: string): Expression {
  return new Parser(text).wholeExpression();
}

const MAX_NESTING = 64;
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["OR"],
  ["AND"],
  ["=", "<>", ">", ">=", "<", "<=", "IN"],
  ["+", "-"],
  ["*", "/", "%"],
];
const NOT_LEVEL = 2;
const UNSUPPORTED = new Set(["SET", "EXISTS", "VALUE", "LIKE", "BETWEEN", "JOIN", "GROUP", "ORDER"]);
const RESERVED = new Set([
  "SELECT",
  "FROM",
  "WHERE",
  "AS",
  "AND",
  "OR",
  "NOT",
  "IN",
  "CASE",
  "WHEN",
  "THEN",
  "ELSE",
  "END",
]);
const LITERALS = new Map<string, boolean | null>([
  ["TRUE", true],
  ["FALSE", false],
  ["NULL", null],
]);

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;
  private nesting = 0;

  constructor(private readonly sql: string) {
    this.tokens = tokenize(sql);
  }

  statement(): RuleStatement {
    this.expectWord("SELECT");
    const items = [this.selectItem()];
    while (this.takeSymbol(",")) items.push(this.selectItem());
    this.expectWord("FROM");
    const filter = this.peek();
    if (filter.kind !== "string") throw this.errorHere("FROM needs a topic filter in single quotes.");
    if (!isTopicFilter(filter.text)) throw this.errorHere(`'${filter.text}' is not a valid topic filter.`);
    this.position += 1;
    const where = this.takeWord("WHERE") ? this.expression() : undefined;
    this.expectEnd();
    return { items, from: filter.text, where };
  }

  wholeExpression(): Expression {
    const expression = this.expression();
    this.expectEnd();
    return expression;
  }

  private selectItem(): SelectItem {
    if (this.takeSymbol("*")) return { kind: "all" };
    const expression = this.expression();
    if (this.takeWord("AS")) return { kind: "value", expression, path: this.path() };
    return { kind: "value", expression, path: [this.defaultName(expression)] };
  }

  /** Unaliased items are named by the last path segment or the function (REF §9.2). */
  private defaultName(expression: Expression): string {
    if (expression.kind === "path") return expression.segments.at(-1)!;
    if (expression.kind === "call") return expression.name;
    throw this.errorHere("This item needs a name.", "Write `AS <name>` after a computed value.");
  }

  private expression(): Expression {
    if (++this.nesting > MAX_NESTING)
      throw this.errorHere(`The expression nests deeper than ${MAX_NESTING} levels.`);
    const expression = this.binary(0);
    this.nesting -= 1;
    return expression;
  }

  private binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    if (level === NOT_LEVEL && this.takeWord("NOT"))
      return this.nested(() => ({ kind: "unary", operator: "NOT", operand: this.binary(level) }));
    let left = this.binary(level + 1);
    for (
      let operator = this.takeOperator(operators);
      operator !== undefined;
      operator = this.takeOperator(operators)
    ) {
      left = { kind: "binary", operator, left, right: this.binary(level + 1) };
    }
    return left;
  }

  private unary(): Expression {
    if (this.takeSymbol("-"))
      return this.nested(() => ({ kind: "unary", operator: "-", operand: this.unary() }));
    return this.primary();
  }

  private nested(parse: () => Expression): Expression {
    if (++this.nesting > MAX_NESTING)
      throw this.errorHere(`The expression nests deeper than ${MAX_NESTING} levels.`);
    const expression = parse();
    this.nesting -= 1;
    return expression;
  }

  private primary(): Expression {
    const token = this.peek();
    if (token.kind === "number") {
      this.position += 1;
      return { kind: "literal", value: Number(token.text) };
    }
    if (token.kind === "string") {
      this.position += 1;
      return { kind: "literal", value: token.text };
    }
    if (this.takeSymbol("(")) return this.closing(")", this.expression());
    if (this.takeSymbol("[")) return { kind: "array", items: this.list("]") };
    if (this.takeSymbol("{")) return this.objectLiteral();
    if (token.kind === "word") return this.wordExpression(token);
    throw this.errorHere(
      token.kind === "end" ? "The statement ends where a value should stand." : `Unexpected "${token.text}".`,
    );
  }

  private wordExpression(token: Token): Expression {
    const upper = token.text.toUpperCase();
    const literal = LITERALS.get(upper);
    if (literal !== undefined) {
      this.position += 1;
      return { kind: "literal", value: literal };
    }
    if (upper === "CASE") return this.caseExpression();
    if (upper === "SELECT")
      throw this.errorHere("Nested SELECT is not supported yet.", "Select the field itself, or use get().");
    if (RESERVED.has(upper)) throw this.errorHere(`Unexpected "${token.text}".`);
    if (this.tokens[this.position + 1]?.text === "(") return this.call(token);
    return { kind: "path", segments: this.path() };
  }

  private call(token: Token): Expression {
    const name = token.text.toLowerCase();
    if (!FUNCTIONS.has(name)) {
      throw this.errorHere(
        `There is no function ${token.text}().`,
        `Functions: ${[...FUNCTIONS.keys()].join(", ")}.`,
      );
    }
    this.position += 2;
    return { kind: "call", name, args: name === "cast" ? this.castArguments() : this.list(")") };
  }

  private castArguments(): Expression[] {
    const value = this.expression();
    this.expectWord("AS");
    const type = this.peek();
    if (!CAST_TYPES.includes(type.text.toLowerCase()))
      throw this.errorHere(`"${type.text}" is not a type to cast to.`, `Types: ${CAST_TYPES.join(", ")}.`);
    this.position += 1;
    this.expectSymbol(")");
    return [value, { kind: "literal", value: type.text }];
  }

  private caseExpression(): Expression {
    this.position += 1;
    const subject = this.expression();
    const branches: { when: Expression; result: Expression }[] = [];
    while (this.takeWord("WHEN")) {
      const when = this.expression();
      this.expectWord("THEN");
      branches.push({ when, result: this.expression() });
    }
    const otherwise = this.takeWord("ELSE") ? this.expression() : undefined;
    this.expectWord("END");
    return { kind: "case", subject, branches, otherwise };
  }

  private objectLiteral(): Expression {
    const entries: [string, Expression][] = [];
    while (!this.takeSymbol("}")) {
      if (entries.length > 0) this.expectSymbol(",");
      const key = this.peek();
      if (key.kind !== "string") throw this.errorHere("An object key must be a quoted string.");
      this.position += 1;
      this.expectSymbol(":");
      entries.push([key.text, this.expression()]);
    }
    return { kind: "object", entries };
  }

  private list(end: string): Expression[] {
    const items: Expression[] = [];
    while (!this.takeSymbol(end)) {
      if (items.length > 0) this.expectSymbol(",");
      items.push(this.takeSymbol("*") ? { kind: "path", segments: [] } : this.expression());
    }
    return items;
  }

  private path(): string[] {
    const segments: string[] = [];
    do {
      const token = this.peek();
      if (token.kind !== "word" || RESERVED.has(token.text.toUpperCase())) {
        throw this.errorHere(
          "A field name is missing here.",
          "Use get(object, 'name') for fields named like keywords.",
        );
      }
      this.position += 1;
      segments.push(token.text);
    } while (this.takeSymbol("."));
    return segments;
  }

  private closing(symbol: string, expression: Expression): Expression {
    this.expectSymbol(symbol);
    return expression;
  }

  private takeOperator(operators: readonly BinaryOperator[]): BinaryOperator | undefined {
    const token = this.peek();
    if (token.kind !== "symbol" && token.kind !== "word") return undefined;
    const operator = operators.find((candidate) => candidate === token.text.toUpperCase());
    if (operator !== undefined) this.position += 1;
    return operator;
  }

  private takeSymbol(symbol: string): boolean {
    const token = this.peek();
    if (token.kind !== "symbol" || token.text !== symbol) return false;
    this.position += 1;
    return true;
  }

  private takeWord(word: string): boolean {
    const token = this.peek();
    if (token.kind !== "word" || token.text.toUpperCase() !== word) return false;
    this.position += 1;
    return true;
  }

  private expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.errorHere(`"${symbol}" is missing here.`);
  }

  private expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.errorHere(`${word} is missing here.`);
  }

  private expectEnd(): void {
    const token = this.peek();
    if (token.kind === "end") return;
    throw this.errorHere(`Unexpected "${token.text}" after the end of the statement.`);
  }

  private peek(): Token {
    return this.tokens[this.position]!;
  }

  private errorHere(message: string, hint?: string): Error {
    const token = this.peek();
    const isUnsupported = token.kind === "word" && UNSUPPORTED.has(token.text.toUpperCase());
    return isUnsupported
      ? syntaxError(
          this.sql,
          token.offset,
          `${token.text.toUpperCase()} is not supported in rules yet.`,
          hint,
        )
      : syntaxError(this.sql, token.offset, message, hint);
  }
}

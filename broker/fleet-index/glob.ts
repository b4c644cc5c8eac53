/** A run of any characters (`*`), or any one character (`?`), among the character codes of a pattern. */
const ANY_RUN = -1;
const ANY_ONE = -2;

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

/**
 * A term with wildcards, `*` for any run and `?` for any one character, compared without regard to case.
 * There are few `*` in a term (QueryLimits), and matching is linear for each.
 */
export class Glob {
  /** Text that every match begins with. */
  private readonly prefix: string;
  private readonly isPrefixOnly: boolean;

  private constructor(private readonly codes: readonly number[]) {
    const wild = codes.findIndex((code) => code < 0);
    this.prefix = String.fromCharCode(...codes.slice(0, wild < 0 ? codes.length : wild));
    this.isPrefixOnly = wild === codes.length - 1 && codes[wild] === ANY_RUN;
  }

  /** @param parts Literal text, and `{ wild }` where a wildcard stands. */
  static of(parts: readonly (string | { readonly wild: "*" | "?" })[]): Glob {
    const codes: number[] = [];
    for (const part of parts) {
      if (typeof part !== "string") codes.push(part.wild === "*" ? ANY_RUN : ANY_ONE);
      else for (const unit of part.toLowerCase().split("")) codes.push(unit.charCodeAt(0));
    }
    return new Glob(codes);
  }

  /** @param word In lower case. */
  matches(word: string): boolean {
    if (!word.startsWith(this.prefix)) return false;
    return this.isPrefixOnly || this.matchesFrom(word, this.prefix.length);
  }

  private matchesFrom(word: string, from: number): boolean {
    const { codes } = this;
    let at = from;
    let next = from;
    let run = -1;
    let runAt = 0;
    while (at < word.length) {
      const code = codes[next];
      const unit = word.charCodeAt(at);
      if (code === ANY_RUN) {
        run = next;
        runAt = at;
        next += 1;
      } else if (code === unit || code === ANY_ONE) {
        at += code === ANY_ONE && isHighSurrogate(unit) ? 2 : 1;
        next += 1;
      } else if (run >= 0) {
        runAt += 1;
        at = runAt;
        next = run + 1;
      } else return false;
    }
    while (codes[next] === ANY_RUN) next += 1;
    return next === codes.length;
  }
}

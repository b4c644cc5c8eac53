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
  readonly prefix: string;
  /** Text that every match ends with. */
  private readonly suffix: string;
  /** What is between `*` and `*` when that is all there is. */
  private readonly infix: string | undefined;
  /** There is one `*` and no `?`: prefix and suffix say it all. */
  private readonly isPlain: boolean;
  /** How much comes before the first `*`. */
  private readonly head: number;

  private constructor(private readonly codes: readonly number[]) {
    const wilds = codes.flatMap((code, at) => (code < 0 ? [at] : []));
    const [first = codes.length] = wilds;
    const last = wilds.at(-1) ?? -1;
    this.prefix = String.fromCharCode(...codes.slice(0, first));
    this.suffix = String.fromCharCode(...codes.slice(last + 1));
    const run = codes.indexOf(ANY_RUN);
    this.head = run < 0 ? codes.length : run;
    this.isPlain = wilds.length === 1 && codes[first] === ANY_RUN;
    const isInfix = wilds.length === 2 && first === 0 && last === codes.length - 1;
    this.infix =
      isInfix && codes[first] === ANY_RUN && codes[last] === ANY_RUN
        ? String.fromCharCode(...codes.slice(1, -1))
        : undefined;
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
    if (this.infix !== undefined) return word.includes(this.infix);
    const { prefix, suffix } = this;
    if (word.length < prefix.length + suffix.length) return false;
    if (!word.startsWith(prefix) || !word.endsWith(suffix)) return false;
    return this.isPlain || this.matchesHead(word);
  }

  /** What comes before the first `*` has its place in every match, as long as `?` stands for one code unit. */
  private matchesHead(word: string): boolean {
    const { codes, head } = this;
    for (let at = this.prefix.length; at < head; at += 1) {
      const code = codes[at]!;
      const unit = word.charCodeAt(at);
      if (code === ANY_ONE && isHighSurrogate(unit)) return this.matchesFrom(word, at);
      if (code === ANY_ONE ? at >= word.length : code !== unit) return false;
    }
    if (head === codes.length) return word.length === head;
    return head === codes.length - 1 || this.matchesFrom(word, head);
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

import { type PolicyContext, textOf } from "./authorization.js";
import { canonicalKey } from "./context-keys.js";
import type { PolicyStatement, PolicyVersion } from "./document.js";
import {
  ANY_ONE,
  ANY_RUN,
  mergePieces,
  parsePattern,
  type PatternPiece,
  patternText,
  substitute,
  variablesOf,
} from "./pattern.js";
import { compileMatcher, matchesPieces, standsAt, type TextMatcher } from "./wildcard.js";

export interface ResourceOptions {
  readonly version: PolicyVersion;
  /**
   * A client named `+` that may subscribe to `a/${iot:ClientId}` would subscribe to everybody's (REF §10.3). AWS leaves
   * that to the author of the policy; by default such a value is none.
   */
  readonly allowsMqttWildcardsInVariables: boolean;
}

/**
 * Resource or NotResource of a statement. A pattern with a variable that has no value is like nothing (IAM). In an
 * Allow with NotResource that would grant everything, so such a statement applies to nothing (REF §10.3).
 */
export class ResourceMatch {
  readonly isNegated: boolean;
  readonly patterns: readonly ResourcePattern[];
  readonly variables: readonly string[];
  readonly #exact: ReadonlySet<string>;
  readonly #matchers: readonly TextMatcher[];
  readonly #templates: readonly ResourcePattern[];
  readonly #needsValues: boolean;

  constructor({ resource, effect }: PolicyStatement, options: ResourceOptions) {
    const isGrant = effect === "Allow" && !resource.isNegated;
    this.isNegated = resource.isNegated;
    this.patterns = resource.patterns.map(({ text }) => new ResourcePattern(text, { ...options, isGrant }));
    this.variables = [...new Set(this.patterns.flatMap(({ variables }) => variables))];
    this.#templates = this.patterns.filter(({ variables }) => variables.length > 0);
    const fixed = this.patterns.filter(({ variables }) => variables.length === 0);
    this.#exact = new Set(fixed.flatMap(({ exactText }) => exactText ?? []));
    this.#matchers = fixed
      .filter(({ exactText }) => exactText === undefined)
      .map(({ pieces }) => compileMatcher(pieces));
    this.#needsValues = effect === "Allow" && resource.isNegated;
  }

  applies(resource: string, context: PolicyContext): boolean {
    if (!this.isNegated) return this.#hasPatternFor(resource, context);
    if (this.#needsValues && this.missingKeys(context).length > 0) return false;
    return !this.#hasPatternFor(resource, context);
  }

  missingKeys(context: PolicyContext): readonly string[] {
    return this.variables.filter((key) => textOf(context, key) === undefined);
  }

  #hasPatternFor(resource: string, context: PolicyContext): boolean {
    if (this.#exact.size > 0 && this.#exact.has(resource)) return true;
    for (const matches of this.#matchers) if (matches(resource)) return true;
    for (const template of this.#templates) if (template.matches(resource, context)) return true;
    return false;
  }
}

/** One ARN of a statement. */
export class ResourcePattern {
  /** As written. */
  readonly text: string;
  readonly pieces: readonly PatternPiece[];
  readonly variables: readonly string[];
  readonly #isGrant: boolean;
  readonly #refusesMqttWildcards: boolean;

  constructor(text: string, options: ResourceOptions & { readonly isGrant: boolean }) {
    this.text = text;
    this.pieces = parsePattern(text, { version: options.version, hasWildcards: true, canonicalKey });
    this.variables = variablesOf(this.pieces);
    this.#isGrant = options.isGrant;
    this.#refusesMqttWildcards = options.isGrant && !options.allowsMqttWildcardsInVariables;
  }

  /** The only resource that it stands for, if there is just one. */
  get exactText(): string | undefined {
    const [first] = this.pieces;
    return this.pieces.length === 1 && typeof first === "string" ? first : undefined;
  }

  matches(resource: string, context: PolicyContext): boolean {
    const isFilter = this.#refusesMqttWildcards && resource.includes(":topicfilter/");
    // Most patterns are literals and variables with at most a run at the end: nothing has to be put together for them.
    let at = 0;
    for (let index = 0; index < this.pieces.length; index += 1) {
      const piece = this.pieces[index]!;
      if (piece === ANY_RUN && index === this.pieces.length - 1) return true;
      if (piece === ANY_RUN || piece === ANY_ONE)
        return this.#matchesSubstituted(resource, context, isFilter);
      const literal = typeof piece === "string" ? piece : this.#valueOf(piece.key, context, isFilter);
      if (literal === undefined || !standsAt(resource, literal, at)) return false;
      at += literal.length;
    }
    return at === resource.length;
  }

  #matchesSubstituted(resource: string, context: PolicyContext, isFilter: boolean): boolean {
    const pieces = substitute(this.pieces, (key) => this.#valueOf(key, context, isFilter));
    return pieces !== undefined && matchesPieces(pieces, resource);
  }

  /** The variable that alone keeps this from matching: with any text in its place it would. */
  missingKey(resource: string, context: PolicyContext): string | undefined {
    const isFilter = this.#refusesMqttWildcards && resource.includes(":topicfilter/");
    const missing = this.variables.find((key) => this.#valueOf(key, context, isFilter) === undefined);
    if (missing === undefined) return undefined;
    const open = this.pieces.map((piece) =>
      typeof piece === "object" ? (this.#valueOf(piece.key, context, isFilter) ?? ANY_RUN) : piece,
    );
    return this.#isGrant && !matchesPieces(mergePieces(open), resource) ? undefined : missing;
  }

  /** With values, as far as there are any. */
  shownText(context: PolicyContext): string {
    return patternText(
      this.pieces.map((piece) => (typeof piece === "object" ? (textOf(context, piece.key) ?? piece) : piece)),
    );
  }

  #valueOf(key: string, context: PolicyContext, isFilter: boolean): string | undefined {
    const value = textOf(context, key);
    if (value === undefined) return undefined;
    if (isFilter && /[+#]/.test(value)) return undefined;
    return this.#isGrant && key.startsWith("iot:Certificate.") && !isUsable(value) ? undefined : value;
  }
}

/** Longest value of a certificate that a variable stands for. */
const MAX_CERTIFICATE_VALUE = 1024;

/** AWS: variables of certificates keep their `${...}` where the value has one of these characters or is too long. */
const isUsable = (value: string): boolean => value.length <= MAX_CERTIFICATE_VALUE && !/[*$+?#]/.test(value);

import type { PolicyMatch } from "./document.js";
import { parsePattern } from "./pattern.js";
import { compileMatcher, type TextMatcher } from "./wildcard.js";

/** Job executions of devices over HTTPS: newer policies name them with a prefix of their own (REF §10.1). */
const JOBS_DATA_ACTIONS = [
  "DescribeJobExecution",
  "GetPendingJobExecutions",
  "StartNextPendingJobExecution",
  "UpdateJobExecution",
];

/** Both names of an action that has two, in lower case. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map(
  JOBS_DATA_ACTIONS.map((name) => name.toLowerCase()).flatMap((name) => [
    [`iot:${name}`, `iotjobsdata:${name}`],
    [`iotjobsdata:${name}`, `iot:${name}`],
  ]),
);

/** Action or NotAction of a statement. Names are compared without case and have wildcards, but no variables. */
export class ActionMatch {
  readonly isNegated: boolean;
  /** As written. */
  readonly patterns: readonly string[];
  readonly #matchers: readonly TextMatcher[];

  constructor({ isNegated, patterns }: PolicyMatch) {
    this.isNegated = isNegated;
    this.patterns = patterns.map(({ text }) => text);
    this.#matchers = this.patterns.map((text) =>
      compileMatcher(
        parsePattern(text.toLowerCase(), {
          version: "2008-10-17",
          hasWildcards: true,
          canonicalKey: (key) => key,
        }),
      ),
    );
  }

  applies(action: string): boolean {
    const name = action.toLowerCase();
    const other = OTHER_NAMES.get(name) ?? name;
    return this.#matchers.some((matches) => matches(name) || matches(other)) !== this.isNegated;
  }
}

import type { PolicyDocument, PolicyStatement } from "../document.js";
import { positionAt, type TextSpan } from "../malformed.js";

/** A mistake that people make, in a policy that AWS would accept. */
export interface PolicyFinding extends TextSpan {
  /** Stable, such as `missing-receive`. */
  readonly code: string;
  /** error: does not do what it says. warning: does more or less than is likely meant. info: worth knowing. */
  readonly severity: "error" | "warning" | "info";
  /** Position of the statement, from 0; undefined for the whole document. */
  readonly statement: number | undefined;
  readonly sid: string | undefined;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to write instead, one sentence. */
  readonly fix: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** What rules look at. */
export interface LintSubject {
  readonly text: string;
  readonly document: PolicyDocument;
}

/** What a rule says; place and statement become a finding. */
export interface Remark extends Pick<PolicyFinding, "code" | "severity" | "message" | "fix"> {
  readonly at: TextSpan;
  readonly statement?: PolicyStatement;
}

export type LintRule = (subject: LintSubject) => Iterable<Remark>;

/** A rule that looks at one statement at a time. */
export const perStatement =
  (
    rule: (statement: PolicyStatement, subject: LintSubject) => Iterable<Omit<Remark, "statement">>,
  ): LintRule =>
  ({ document, ...rest }) =>
    document.statements.flatMap((statement) =>
      Array.from(rule(statement, { document, ...rest }), (remark) => ({ ...remark, statement })),
    );

/** A remark with its place. */
export function findingOf(text: string, { at, statement, ...said }: Remark): PolicyFinding {
  return {
    ...said,
    statement: statement?.index,
    sid: statement?.sid,
    ...positionAt(text, at.start),
    start: at.start,
    end: at.end,
  };
}

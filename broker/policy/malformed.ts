import { FleetrigError } from "fleetrig/kernel";

/** Where something stands in the text of a policy, in UTF-16 units; `end` is exclusive. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** A place in a text as editors count: from 1, columns in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. */
export function positionAt(text: string, offset: number): TextPosition {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

export interface MalformedDetails {
  /** The text that was read; with `at` the message names the line and column. */
  readonly text?: string;
  readonly at?: TextSpan;
  readonly hint?: string | undefined;
}

/** What CreatePolicy answers to a document that is no policy; the sentence reaches the AWS client. */
export function malformedPolicy(reason: string, { text, at, hint }: MalformedDetails = {}): FleetrigError {
  const position = text === undefined || at === undefined ? undefined : positionAt(text, at.start);
  const place = position === undefined ? "" : ` at line ${position.line}, column ${position.column}`;
  return new FleetrigError("POLICY_MALFORMED", `The policy document is malformed${place}: ${reason}.`, {
    ...(hint === undefined ? {} : { hint }),
    context: {
      awsError: "MalformedPolicyException",
      httpStatus: 400,
      reason,
      ...position,
      ...(at === undefined ? {} : { start: at.start, end: at.end }),
    },
  });
}

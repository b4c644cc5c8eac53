/** What a policy can ask about whoever acts. */
export interface PolicyContext {
  /** The value of a key in AWS's spelling, such as `iot:ClientId`; a list has several. Undefined: it has no value. */
  value(key: string): string | readonly string[] | undefined;
}

/** May this be done? */
export interface AuthorizationRequest {
  /** `iot:Publish`; compared without case. */
  readonly action: string;
  /** The whole ARN, such as `arn:aws:iot:us-east-1:123456789012:topic/a/b`. */
  readonly resource: string;
  readonly context: PolicyContext;
}

/** A statement by its policy, its position in it and, if it has one, its Sid. */
export interface StatementName {
  readonly policyName: string;
  /** From 0. */
  readonly index: number;
  readonly sid: string | undefined;
}

export interface MatchedStatement extends StatementName {
  readonly effect: "Allow" | "Deny";
}

export interface AuthorizationDecision {
  readonly outcome: "allowed" | "explicitDeny" | "implicitDeny";
  readonly action: string;
  readonly resource: string;
  /** Every statement that applies, of both effects, in the order of the policies. */
  readonly matched: readonly MatchedStatement[];
  /** Keys without value that statements about this action asked for, each once. */
  readonly missingContextValues: readonly string[];
  /** With implicitDeny: what came nearest to allowing it. */
  readonly reason: DenyReason | undefined;
}

/** Why nothing allowed a request: the Allow statement that came nearest. */
export type DenyReason =
  | { readonly kind: "noPolicies" }
  /** No Allow statement is about the action. */
  | { readonly kind: "action"; readonly nearestAction: string | undefined }
  /** Some are, but for other resources. */
  | {
      readonly kind: "resource";
      readonly statement: StatementName;
      readonly pattern: string;
      readonly isNegated: boolean;
    }
  /** The resource of one has a variable without value, or with a `value` that may not stand there. */
  | {
      readonly kind: "variable";
      readonly statement: StatementName;
      readonly pattern: string;
      readonly key: string;
      readonly value: string | undefined;
    }
  /** One is about the resource too, but a condition failed. */
  | {
      readonly kind: "condition";
      readonly statement: StatementName;
      readonly operator: string;
      readonly key: string;
      readonly expected: readonly string[];
      readonly actual: string | readonly string[] | undefined;
    };

/** What a variable stands for. Lists stand for nothing (IAM: variables have one value). */
export function textOf(context: PolicyContext, key: string): string | undefined {
  const value = context.value(key);
  return typeof value === "string" ? value : undefined;
}

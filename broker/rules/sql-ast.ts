/** The rule language as a tree (REF §9.1). Offsets count characters from the start of the statement. */
export interface RuleStatement {
  readonly items: readonly SelectItem[];
  /** Topic filter of FROM. */
  readonly from: string;
  readonly where: Expression | undefined;
}

/** One item of SELECT: `*`, or a value and where it goes. */
export type SelectItem =
  | { readonly kind: "all" }
  /** `path` of the alias; a dotted alias builds nested objects. */
  | { readonly kind: "value"; readonly expression: Expression; readonly path: readonly string[] };

/** A value to compute, told apart by `kind`. */
export type Expression =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "path"; readonly segments: readonly string[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: "unary"; readonly operator: "NOT" | "-"; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "case";
      readonly subject: Expression;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [key: string, value: Expression])[] };

/** Operators between two values, as written. */
export type BinaryOperator =
  | "AND"
  | "OR"
  | "="
  | "<>"
  | ">"
  | ">="
  | "<"
  | "<="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "IN";

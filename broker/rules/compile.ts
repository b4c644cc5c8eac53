import { isJsonObject, type JsonValue } from "fleetrig/kernel";
import { FUNCTIONS, type RuleContext } from "./functions.js";
import type { BinaryOperator, Expression, RuleStatement, SelectItem } from "./sql-ast.js";
import { equals, finite, getPath, type RuleValue, toBoolean, toDecimal, toText } from "./values.js";

/** A compiled expression: the tree turned into nested closures once, so that a message costs only calls. */
export type Evaluate = (context: RuleContext) => RuleValue;

/** A compiled rule. `select` is asked only after `matches` said true. */
export interface CompiledStatement {
  readonly from: string;
  matches(context: RuleContext): boolean;
  /** The output value; raw payload bytes for `SELECT *` over a payload that is not a JSON object. */
  select(context: RuleContext): JsonValue | Uint8Array;
}

export function compileStatement(statement: RuleStatement): CompiledStatement {
  const where = statement.where === undefined ? undefined : compileExpression(statement.where);
  return {
    from: statement.from,
    // Only literally true fires; Undefined and other values do not (REF §9.2).
    matches: (context) => where === undefined || where(context) === true,
    select: compileItems(statement.items),
  };
}

function compileItems(items: readonly SelectItem[]): CompiledStatement["select"] {
  const steps = items.map((item) =>
    item.kind === "all" ? undefined : { path: item.path, value: compileExpression(item.expression) },
  );
  const onlyAll = steps.every((step) => step === undefined);
  return (context) => {
    if (onlyAll && !isJsonObject(context.payload)) return context.payload ?? context.message.payload;
    const output = newRecord();
    for (const step of steps) {
      if (step !== undefined) assign(output, step.path, step.value(context));
      else if (isJsonObject(context.payload))
        for (const key of Object.keys(context.payload)) output[key] = context.payload[key]!;
    }
    return output;
  };
}

// Without prototype: keys come from devices, and `__proto__` is a key like any other.
const newRecord = (): Record<string, JsonValue> => Object.create(null) as Record<string, JsonValue>;

/** Sets a possibly nested output field; Undefined leaves it out, null stays. */
function assign(output: Record<string, JsonValue>, path: readonly string[], value: RuleValue): void {
  if (value === undefined) return;
  let target = output;
  for (const segment of path.slice(0, -1)) {
    const nested = newRecord();
    const existing = target[segment];
    if (isJsonObject(existing)) for (const key of Object.keys(existing)) nested[key] = existing[key]!;
    target[segment] = nested;
    target = nested;
  }
  target[path.at(-1)!] = value;
}

export function compileExpression(expression: Expression): Evaluate {
  switch (expression.kind) {
    case "literal":
      return () => expression.value;
    case "path":
      return compilePath(expression.segments);
    case "call":
      return compileCall(expression.name, expression.args);
    case "unary":
      return compileUnary(expression.operator, compileExpression(expression.operand));
    case "binary":
      return compileBinary(
        expression.operator,
        compileExpression(expression.left),
        compileExpression(expression.right),
      );
    case "case":
      return compileCase(expression);
    case "array": {
      const items = expression.items.map(compileExpression);
      return (context) =>
        items.map((item) => item(context)).filter((item): item is JsonValue => item !== undefined);
    }
    case "object": {
      const entries = expression.entries.map(([key, value]) => [key, compileExpression(value)] as const);
      return (context) => {
        const output = newRecord();
        for (const [key, value] of entries) assign(output, [key], value(context));
        return output;
      };
    }
  }
}

function compilePath(segments: readonly string[]): Evaluate {
  const [only] = segments;
  if (segments.length !== 1 || only === undefined) return ({ payload }) => getPath(payload, segments);
  return ({ payload }) => (isJsonObject(payload) && Object.hasOwn(payload, only) ? payload[only] : undefined);
}

function compileCall(name: string, args: readonly Expression[]): Evaluate {
  const definition = FUNCTIONS.get(name)!;
  if (args.length < definition.minArgs || args.length > definition.maxArgs) return () => undefined;
  const compiled = args.map(compileExpression);
  return (context) =>
    definition.apply(
      compiled.map((arg) => arg(context)),
      context,
    );
}

function compileUnary(operator: "NOT" | "-", operand: Evaluate): Evaluate {
  if (operator === "-") {
    return (context) => {
      const value = toDecimal(operand(context));
      return value === undefined ? undefined : -value;
    };
  }
  return (context) => {
    const value = toBoolean(operand(context));
    return value === undefined ? undefined : !value;
  };
}

function compileCase(expression: Extract<Expression, { kind: "case" }>): Evaluate {
  const subject = compileExpression(expression.subject);
  const branches = expression.branches.map(
    ({ when, result }) => [compileExpression(when), compileExpression(result)] as const,
  );
  const otherwise =
    expression.otherwise === undefined ? () => undefined : compileExpression(expression.otherwise);
  return (context) => {
    const value = subject(context);
    if (value === undefined) return undefined;
    const branch = branches.find(([when]) => equals(value, when(context)) === true);
    return (branch?.[1] ?? otherwise)(context);
  };
}

type Operation = (left: RuleValue, right: RuleValue) => RuleValue;

const arithmetic =
  (apply: (left: number, right: number) => number): Operation =>
  (left, right) => {
    const [a, b] = [toDecimal(left), toDecimal(right)];
    return a === undefined || b === undefined ? undefined : finite(apply(a, b));
  };

const ordering =
  (apply: (left: number, right: number) => boolean): Operation =>
  (left, right) => {
    const [a, b] = [toDecimal(left), toDecimal(right)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  };

const logical =
  (apply: (left: boolean, right: boolean) => boolean): Operation =>
  (left, right) => {
    const [a, b] = [toBoolean(left), toBoolean(right)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  };

/** Any String operand makes `+` a concatenation. */
const add: Operation = (left, right) => {
  if (typeof left !== "string" && typeof right !== "string") return sum(left, right);
  const [a, b] = [toText(left), toText(right)];
  return a === undefined || b === undefined ? undefined : a + b;
};
const sum = arithmetic((a, b) => a + b);

/** Int / Int is an Int: the quotient is truncated (REF §9.3). */
const divide = arithmetic((a, b) => (Number.isInteger(a) && Number.isInteger(b) ? Math.trunc(a / b) : a / b));

const isIn: Operation = (left, right) => {
  if (left === undefined || !Array.isArray(right)) return undefined;
  return (right as JsonValue[]).some((item) => equals(left, item) === true);
};

const OPERATIONS: Readonly<Record<BinaryOperator, Operation>> = {
  AND: logical((a, b) => a && b),
  OR: logical((a, b) => a || b),
  "=": equals,
  "<>": (left, right) => {
    const equal = equals(left, right);
    return equal === undefined ? undefined : !equal;
  },
  ">": ordering((a, b) => a > b),
  ">=": ordering((a, b) => a >= b),
  "<": ordering((a, b) => a < b),
  "<=": ordering((a, b) => a <= b),
  "+": add,
  "-": arithmetic((a, b) => a - b),
  "*": arithmetic((a, b) => a * b),
  "/": divide,
  "%": arithmetic((a, b) => a % b),
  IN: isIn,
};

function compileBinary(operator: BinaryOperator, left: Evaluate, right: Evaluate): Evaluate {
  const apply = OPERATIONS[operator];
  return (context) => apply(left(context), right(context));
}

import { z } from "zod";
import { scenarioDocument } from "./document.js";
import { QUANTITY_PATTERNS } from "./quantities.js";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const refer = (definition: string) => ({ $ref: `#/definitions/${definition}` });

const DEFINITIONS: Readonly<Record<string, JsonSchema>> = {
  reference: {
    type: "string",
    pattern: "^\\$\\{(vars|env)\\.[A-Za-z0-9_.-]+\\}$",
    description: "A variable; the loader checks the value behind it.",
  },
  ...Object.fromEntries(
    Object.entries(QUANTITY_PATTERNS).map(([name, pattern]): [string, JsonSchema] => [
      name,
      { anyOf: [{ type: "string", pattern }, refer("reference")] },
    ]),
  ),
};

/** Texts that `${vars.x}` would not match although the loader accepts it. */
const isConstrained = (schema: JsonSchema): boolean =>
  schema.const === undefined &&
  (schema.type === "integer" ||
    schema.type === "number" ||
    schema.type === "boolean" ||
    (schema.type === "string" && (schema.pattern !== undefined || schema.enum !== undefined)));

/** Names the definitions instead of repeating them, and lets a variable stand for any scalar. */
function compact(schema: JsonSchema): void {
  if (!isConstrained(schema)) return;
  const { description, examples, ...rest } = schema;
  for (const key of Object.keys(schema)) delete schema[key];
  const quantity = Object.entries(QUANTITY_PATTERNS).find(([, pattern]) => pattern === rest.pattern)?.[0];
  if (quantity === undefined) schema.anyOf = [rest, refer("reference")];
  else schema.allOf = [refer(quantity)];
  if (description !== undefined) schema.description = description;
  if (examples !== undefined) schema.examples = examples;
}

/** JSON Schema (draft-07) of a scenario file, for editors. */
export function scenarioJsonSchema(): Readonly<Record<string, unknown>> {
  const { definitions, ...schema } = z.toJSONSchema(scenarioDocument, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) !== "propertyNames") compact(jsonSchema);
    },
  });
  return { ...schema, definitions: { ...DEFINITIONS, ...(definitions as object | undefined) } };
}

/** The text of `scenario.schema.json`. */
export const scenarioSchemaText = (): string => `${JSON.stringify(scenarioJsonSchema(), undefined, 1)}\n`;

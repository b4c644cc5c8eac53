import { z } from "zod";
import { scenarioDocument } from "./document.js";

/** `${vars.x}` may stand for any scalar; the loader checks the value behind it. */
const REFERENCE = { type: "string", pattern: "^\\$\\{(vars|env)\\.[A-Za-z0-9_.-]+\\}$" } as const;

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A schema that the text `${vars.x}` would not meet although the loader accepts it. */
const isScalar = (schema: JsonSchema): boolean =>
  schema.type === "integer" ||
  schema.type === "number" ||
  schema.type === "boolean" ||
  (schema.type === "string" && (schema.pattern !== undefined || schema.enum !== undefined));

function allowReference(schema: JsonSchema): void {
  if (!isScalar(schema)) return;
  const { description, examples, ...rest } = schema;
  for (const key of Object.keys(schema)) delete schema[key];
  if (description !== undefined) schema.description = description;
  if (examples !== undefined) schema.examples = examples;
  schema.anyOf = [rest, REFERENCE];
}

/** JSON Schema (draft-07) of a scenario file, for editors. */
export function scenarioJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(scenarioDocument, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) !== "propertyNames") allowReference(jsonSchema);
    },
  });
  return schema;
}

/** The text of `scenario.schema.json`. */
export const scenarioSchemaText = (): string => `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`;

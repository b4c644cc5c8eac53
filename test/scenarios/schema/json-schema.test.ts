import { readFileSync } from "node:fs";
import { scenarioJsonSchema, scenarioSchemaText } from "fleetrig/scenarios";
import { describe, expect, it } from "vitest";

const committed = "scenarios/scenario.schema.json";

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly [key: string]: unknown;
}

const schema = scenarioJsonSchema() as SchemaNode;

function* nodesOf(node: unknown): Generator<SchemaNode> {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) yield node as SchemaNode;
  for (const child of Object.values(node)) yield* nodesOf(child);
}

describe("the JSON Schema of scenarios", () => {
  it("is the committed file; after a change of the format write the output of fleetrig schema to it", () => {
    expect(readFileSync(committed, "utf8")).toBe(scenarioSchemaText());
  });

  it("is draft-07, which editors read", () => {
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
  });

  it("requires what every scenario needs", () => {
    expect(schema.required).toEqual(["version", "name", "fleet", "stages"]);
  });

  it("describes every key of the top level", () => {
    const undescribed = Object.entries(schema.properties ?? {}).filter(
      ([, property]) => property.description === undefined,
    );
    expect(undescribed.map(([key]) => key)).toEqual([]);
  });

  it("refuses unknown keys in every block of known keys", () => {
    const open = [...nodesOf(schema)].filter(
      (node) =>
        typeof node["type"] === "string" &&
        node.properties !== undefined &&
        node["additionalProperties"] === undefined,
    );
    expect(open).toEqual([]);
  });

  it("refers only to definitions that it has", () => {
    const definitions = Object.keys(schema["definitions"] ?? {});
    const references = [...nodesOf(schema)].flatMap(({ $ref }) => (typeof $ref === "string" ? [$ref] : []));
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references)
      expect(definitions).toContain(reference.replace("#/definitions/", ""));
  });
});

import { readFileSync } from "node:fs";
import { OPERATIONS } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { startApi } from "./api-client.js";
import { type Model, modelOf, type ModelShape, SERVICES, withOperations } from "./operation-table.js";

const SIGNING_NAMES = { iot: "iot", "iot-data": "iotdata", "iot-jobs-data": "iot-jobs-data" } as const;

/** Texts of which at least one fits every pattern of the models. */
const TEXTS = [
  "a1",
  "1",
  "ab".repeat(32),
  "arn:aws:iot:us-east-1:000000000000:thing/a1",
  "arn:aws:acm:us-east-1:000000000000:certificate/a1",
  "https://example.com/",
  "1.0",
  "p10",
  "0x1",
  ",",
  "x".repeat(64),
];

function sampleText(shape: ModelShape): string {
  if (shape.enum !== undefined) return shape.enum[0]!;
  const pattern = shape.pattern
    ?.replace("\\p{Graph}", "\\x21-\\x7e")
    .replace("\\p{Upper}", "A-Z")
    .replace("\\p{Digit}", "0-9")
    .replace("\\p{Cntrl}", "\\0");
  const fits = (text: string): boolean =>
    text.length >= (shape.min ?? 0) &&
    (pattern === undefined || new RegExp(`^(?:${pattern})$`, "u").test(text));
  return TEXTS.find(fits) ?? TEXTS[0]!;
}

function sample(model: Model, name: string, depth = 0): unknown {
  const shape = model.shapes[name]!;
  switch (shape.type) {
    case "structure":
      return Object.fromEntries(
        (depth > 4 ? [] : (shape.required ?? [])).map((member) => [
          member,
          sample(model, shape.members![member]!.shape, depth + 1),
        ]),
      );
    case "list":
      return (shape.min ?? 0) > 0 ? [sample(model, shape.member!, depth + 1)] : [];
    case "map":
      return {};
    case "boolean":
      return true;
    case "integer":
    case "long":
    case "double":
      return shape.min ?? 1;
    case "timestamp":
      return 1;
    case "blob":
      return "";
    default:
      return sampleText(shape);
  }
}

function sampleRequest(model: Model, operation: string): { method: string; target: string; body: unknown } {
  const { method, path, input } = model.operations[operation]!;
  const shape = input === undefined ? undefined : model.shapes[input]!;
  const label = (name: string): string => {
    const member = Object.entries(shape!.members!).find(
      ([key, { location, locationName }]) => location === "uri" && (locationName ?? key) === name,
    )!;
    return encodeURIComponent(String(sample(model, member[1].shape)));
  };
  const target = path.replace(/\{([^+}]+)\+?\}/g, (_all, name: string) => label(name));
  const members = Object.entries(shape?.members ?? {}).filter(([name]) => shape!.required?.includes(name));
  const query = new URLSearchParams();
  const body: Record<string, unknown> = {};
  for (const [name, { shape: of, location, locationName }] of members) {
    if (location === "querystring") query.set(locationName ?? name, String(sample(model, of)));
    if (location === undefined && shape!.payload === undefined)
      body[locationName ?? name] = sample(model, of);
  }
  const payload = shape?.payload === undefined ? body : sample(model, shape.members![shape.payload]!.shape);
  return {
    method,
    target: query.size > 0 ? `${target}?${query}` : target,
    body: method === "GET" ? undefined : payload,
  };
}

describe("the table of operations", () => {
  it("is the one in the README", () => {
    const readme = readFileSync("README.md", "utf8");
    expect(readme, "run `npm run operations`").toBe(withOperations(readme));
  });

  it.each(SERVICES)("names only operations that the service model of %s has", (service) => {
    const known = Object.keys(modelOf(service).operations);
    expect(Object.keys(OPERATIONS[service]).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(
    SERVICES.flatMap((service) =>
      Object.keys(modelOf(service).operations).map((operation) => [service, operation] as const),
    ),
  )(
    "is true for %s %s: there are a handler and a route to it, or a 501 that names it",
    async (service, operation) => {
      const { method, target, body } = sampleRequest(modelOf(service), operation);
      const { request } = startApi();
      const answer = await request(method, target, {
        body,
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${SIGNING_NAMES[service]}/aws4_request, SignedHeaders=host, Signature=0`,
          principal: "arn:aws:iot:us-east-1:000000000000:cert/a1",
          "x-amzn-iot-principal": "arn:aws:iot:us-east-1:000000000000:cert/a1",
          "x-amzn-iot-policy": "a1",
        },
      });
      const name = answer.headers["x-amzn-errortype"];
      expect([
        "InternalFailureException",
        "UnknownOperationException",
        "MethodNotAllowedException",
      ]).not.toContain(name);
      if (OPERATIONS[service][operation] === undefined) {
        expect({ name, status: answer.status }).toEqual({ name: "NotImplementedException", status: 501 });
        expect(answer.body.message).toContain(operation);
      } else if (answer.status === 501) {
        // A part of it may be missing, which the table has to say.
        expect(OPERATIONS[service][operation]!.lacks).toBeDefined();
      }
    },
  );
});

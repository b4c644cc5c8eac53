import { Buffer } from "node:buffer";
import { invariant, isJsonObject } from "fleetrig/kernel";
import type { HttpResponse } from "./http.js";
import type { OperationOutput } from "./operation.js";
import type { Route } from "./route-table.js";
import { type Member, type ServiceModel, serviceModel } from "./service-model.js";

const JSON_TYPE = "application/json";

/** The answer of an operation that succeeded. A member that the model does not know is a bug of the operation. */
export function renderOutput(
  { service, operation, model }: Route,
  output: OperationOutput = {},
): HttpResponse {
  const api = serviceModel(service);
  const shape = model.output === undefined ? undefined : api.shapes[model.output]!;
  const members = shape?.members ?? {};
  const headers: Record<string, string> = { "content-type": JSON_TYPE };
  const body: Record<string, unknown> = {};
  let status = model.status ?? 200;
  for (const [name, value] of Object.entries(output)) {
    if (value === undefined) continue;
    const member = members[name];
    invariant(member !== undefined, `${operation} answered ${name}, which its output does not have`);
    const key = member.locationName ?? name;
    if (member.location === "header" || member.location === "headers")
      headers[key] = `${value as string | number | boolean}`;
    else if (member.location === "statusCode") status = Number(value);
    else body[key] = rendered(api, member, { value, at: `${operation}.${name}` });
  }
  const payload = shape?.payload;
  if (payload === undefined) return { status, headers, body: JSON.stringify(body) };
  const value = output[payload];
  if (value instanceof Uint8Array) return { status, headers, body: value };
  const text =
    typeof value === "string" ? value : JSON.stringify(body[members[payload]!.locationName ?? payload]);
  return { status, headers, body: text ?? "" };
}

interface Place {
  readonly value: unknown;
  readonly at: string;
}

function rendered(api: ServiceModel, { shape: name }: Pick<Member, "shape">, { value, at }: Place): unknown {
  const shape = api.shapes[name]!;
  switch (shape.type) {
    case "blob":
      return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
    case "list":
      return Array.from(value as Iterable<unknown>, (item) =>
        rendered(api, { shape: shape.member! }, { value: item, at }),
      );
    case "map": {
      const result = Object.create(null) as Record<string, unknown>;
      for (const [key, item] of Object.entries(value as object))
        if (item !== undefined) result[key] = rendered(api, { shape: shape.value! }, { value: item, at });
      return result;
    }
    case "structure": {
      invariant(isJsonObject(value), `${at} is no object`);
      const result: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value)) {
        if (item === undefined) continue;
        const member = shape.members?.[key];
        invariant(member !== undefined, `${at} has ${key}, which ${name} does not have`);
        result[member.locationName ?? key] = rendered(api, member, { value: item, at: `${at}.${key}` });
      }
      return result;
    }
    default:
      return value;
  }
}

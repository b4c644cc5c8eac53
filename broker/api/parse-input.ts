import { isUtf8 } from "node:buffer";
import { isJsonObject, parseJson } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { assertRequired, ValueChecker } from "./check-value.js";
import type { HttpRequest } from "./http.js";
import type { RouteMatch } from "./route-table.js";
import { type Member, serviceModel, type Shape } from "./service-model.js";

/** Service requests nest a handful of levels; documents inside them are strings. */
const MAX_DEPTH = 32;

/** @returns the operation's input by the names of the model. @throws FleetrigError `CLOUD_INVALID_REQUEST`. */
export function parseInput(match: RouteMatch, request: HttpRequest, query: URLSearchParams): unknown {
  const { input } = match.model;
  if (input === undefined) return {};
  const checker = new ValueChecker(serviceModel(match.service));
  const shape = checker.shape(input);
  const body = bodyOf(shape, request, checker);
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const value = located(name, member, { match, request, query, checker, body });
    if (value !== undefined) result[name] = value;
  }
  assertRequired(shape, result, "");
  return result;
}

interface Source {
  readonly match: RouteMatch;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly checker: ValueChecker;
  readonly body: Body;
}

type Body = { readonly payload: unknown } | { readonly members: Readonly<Record<string, unknown>> };

function located(name: string, member: Member, source: Source): unknown {
  const { checker, body } = source;
  const key = member.locationName ?? name;
  switch (member.location) {
    case "uri":
      return textOr(source.match.labels.get(key), (text) => checker.text(member.shape, text, name));
    case "querystring":
      return fromQuery(key, name, member, source);
    case "header":
    case "headers":
      return textOr(source.request.headers.get(key.toLowerCase()), (text) =>
        checker.text(member.shape, text, name),
      );
    default: {
      if ("payload" in body) return body.payload;
      const value = Object.hasOwn(body.members, key) ? body.members[key] : undefined;
      return value === undefined || value === null ? undefined : checker.value(member.shape, value, name);
    }
  }
}

const textOr = (text: string | undefined, check: (text: string) => unknown): unknown =>
  text === undefined ? undefined : check(text);

function fromQuery(key: string, name: string, member: Member, { query, checker }: Source): unknown {
  const shape = checker.shape(member.shape);
  if (shape.type !== "list")
    return textOr(query.get(key) ?? undefined, (text) => checker.text(member.shape, text, name));
  const all = query.getAll(key);
  return all.length === 0 ? undefined : all.map((text) => checker.text(shape.member!, text, name));
}

function bodyOf(shape: Shape, request: HttpRequest, checker: ValueChecker): Body {
  if (shape.payload !== undefined) return { payload: payloadOf(shape, shape.payload, request, checker) };
  const hasBodyMembers = Object.values(shape.members ?? {}).some(({ location }) => location === undefined);
  if (!hasBodyMembers || request.body.length === 0) return { members: {} };
  const value = jsonOf(request.body);
  if (!isJsonObject(value)) throw cloudError("InvalidRequestException", "The body must be a JSON object.");
  return { members: value };
}

function payloadOf(shape: Shape, name: string, request: HttpRequest, checker: ValueChecker): unknown {
  const member = shape.members![name]!;
  if (checker.shape(member.shape).type === "blob") return request.body;
  if (request.body.length === 0) return undefined;
  return checker.value(member.shape, jsonOf(request.body), name);
}

function jsonOf(body: Uint8Array): unknown {
  if (!isUtf8(body)) throw cloudError("InvalidRequestException", "The body is not UTF-8.");
  const parsed = parseJson(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"),
    MAX_DEPTH,
  );
  if (parsed.ok) return parsed.value;
  throw cloudError(
    "InvalidRequestException",
    parsed.reason === "depth" ? `The body nests ${parsed.depth} levels deep.` : "The body is not JSON.",
  );
}

import type { Model, ModelShape } from "./operation-table.js";

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

/** What a sample is made of where the model leaves a choice. */
export interface SampleChoices {
  /** Of texts that fit; the first by default. */
  readonly pick: <T>(from: readonly T[]) => T;
  /** Is a member that may be absent given? Default no. */
  readonly includes: () => boolean;
  /** More texts to choose from, by the name of the shape. */
  readonly texts: (shapeName: string) => readonly string[];
}

const PLAIN: SampleChoices = { pick: (from) => from[0]!, includes: () => false, texts: () => [] };

const MAX_DEPTH = 5;

/** The models' patterns have names of classes that ours do not. */
const translated = (pattern: string): string =>
  pattern
    .replace("\\p{Graph}", "\\x21-\\x7e")
    .replace("\\p{Upper}", "A-Z")
    .replace("\\p{Digit}", "0-9")
    .replace("\\p{Cntrl}", "\\x00-\\x1f\\x7f");

const patterns = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    pattern = new RegExp(`^(?:${translated(source)})$`, "u");
    patterns.set(source, pattern);
  }
  return pattern;
}

function sampleText(shape: ModelShape, own: readonly string[], { pick }: SampleChoices): string {
  if (shape.enum !== undefined) return pick(shape.enum);
  const fitting = [...own, ...TEXTS].filter(
    (text) =>
      text.length >= (shape.min ?? 0) && (shape.pattern === undefined || patternOf(shape.pattern).test(text)),
  );
  return fitting.length === 0 ? TEXTS[0]! : pick(fitting);
}

/** A value that the model allows. */
function sample(model: Model, name: string, choices: SampleChoices = PLAIN, depth = 0): unknown {
  const shape = model.shapes[name]!;
  const inner = (of: string): unknown => sample(model, of, choices, depth + 1);
  switch (shape.type) {
    case "structure":
      return Object.fromEntries(
        Object.entries(depth >= MAX_DEPTH ? {} : (shape.members ?? {}))
          .filter(([member]) => shape.required?.includes(member) || choices.includes())
          .map(([member, { shape: of }]) => [member, inner(of)]),
      );
    case "list":
      return (shape.min ?? 0) > 0 || (depth < MAX_DEPTH && choices.includes()) ? [inner(shape.member!)] : [];
    case "map":
      return choices.includes() ? { a1: "1" } : {};
    case "boolean":
      return choices.pick([true, false]);
    case "integer":
    case "long":
    case "double":
      return shape.min ?? choices.pick([1, 0, 2]);
    case "timestamp":
      return 1;
    case "blob":
      return "";
    default:
      return sampleText(shape, choices.texts(name), choices);
  }
}

export interface SampleRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request that the model allows. */
export function sampleRequest(
  model: Model,
  operation: string,
  choices: SampleChoices = PLAIN,
): SampleRequest {
  const { method, path, input } = model.operations[operation]!;
  const shape: ModelShape = input === undefined ? { type: "structure" } : model.shapes[input]!;
  const labels = new Map<string, string>();
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  for (const [name, { shape: of, location, locationName: key = name }] of Object.entries(
    shape.members ?? {},
  )) {
    if (shape.required?.includes(name) !== true && location !== "uri" && !choices.includes()) continue;
    const value = sample(model, of, choices);
    if (location === "uri") labels.set(key, encodeURIComponent(String(value)));
    else if (location === "querystring") query.set(key, String(value));
    else if (location === "header" || location === "headers") headers[key.toLowerCase()] = String(value);
    else if (shape.payload === undefined) body[key] = value;
  }
  const target = path.replace(/\{([^+}]+)\+?\}/g, (_all, label: string) => labels.get(label) ?? "a1");
  const payload =
    shape.payload === undefined ? body : sample(model, shape.members![shape.payload]!.shape, choices);
  return {
    method,
    target: query.size > 0 ? `${target}?${query.toString()}` : target,
    headers,
    body: method === "GET" ? undefined : payload,
  };
}

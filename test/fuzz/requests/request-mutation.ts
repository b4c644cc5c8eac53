import type { Random } from "fleetrig/kernel";

/** A request as it goes over the wire, or nearly so. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

type Mutation = (request: RawRequest, random: Random) => RawRequest;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "", "get"];
const ODD_TEXTS = [
  "",
  " ",
  "\0",
  "\u{1f600}",
  "../../etc/passwd",
  "%2e%2e%2f",
  "__proto__",
  "constructor",
  "${iot:ClientId}",
  "a".repeat(5_000),
  "-1",
  "1e999",
  "NaN",
  "9".repeat(40),
  "arn:aws:iot:::",
  "*",
  "#",
  "null",
  "\ud800",
];
const ODD_VALUES: readonly unknown[] = [
  null,
  [],
  {},
  true,
  -1,
  1.5,
  1e308,
  "",
  { a: [[[[]]]] },
  [null],
  ...ODD_TEXTS,
];
const HEADER_NAMES = [
  "authorization",
  "host",
  "content-type",
  "x-amz-date",
  "x-amzn-iot-thingname",
  "principal",
  "x-amzn-principal",
  "x-amz-mqtt5-user-properties",
  "x-amz-mqtt5-correlation-data",
  "x-amz-tagging",
];

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** Puts something odd in place of one value somewhere in the body's JSON. */
function changeValue(value: unknown, random: Random): unknown {
  const isLeaf = typeof value !== "object" || value === null || random.below(4) === 0;
  if (isLeaf) return random.pick(ODD_VALUES);
  if (Array.isArray(value)) {
    if (value.length === 0) return [random.pick(ODD_VALUES)];
    const at = random.below(value.length);
    return value.map((item: unknown, index) => (index === at ? changeValue(item, random) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random.below(5) === 0)
    return { ...value, [random.pick([...ODD_TEXTS, "extra"])]: random.pick(ODD_VALUES) };
  const at = random.below(entries.length);
  return Object.fromEntries(
    entries.map(([key, item], index) => [key, index === at ? changeValue(item, random) : item]),
  );
}

const changeJson: Mutation = (request, random) => {
  try {
    const value = changeValue(JSON.parse(text(request.body)), random);
    return { ...request, body: Buffer.from(JSON.stringify(value) ?? "") };
  } catch {
    return request;
  }
};

const spoilBytes: Mutation = (request, random) => {
  if (request.body.length === 0) return { ...request, body: Buffer.from(random.pick(ODD_TEXTS)) };
  const body = Buffer.from(request.body);
  body[random.below(body.length)] = random.below(256);
  return { ...request, body: random.below(3) === 0 ? body.subarray(0, random.below(body.length)) : body };
};

const nestDeeply: Mutation = (request, random) => {
  const depth = random.pick([10, 100, 10_000]);
  return { ...request, body: Buffer.from(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`) };
};

const changeMethod: Mutation = (request, random) => ({ ...request, method: random.pick(METHODS) });

const changePath: Mutation = (request, random) => {
  const [path = "", ...query] = request.target.split("?");
  const parts = path.split("/");
  const at = random.below(parts.length);
  const odd = random.pick(ODD_TEXTS).replace(/[\ud800-\udfff]/g, "");
  parts[at] = random.pick([encodeURIComponent(odd), odd, "%zz", "%00", "%ff%fe"]);
  return { ...request, target: [parts.join("/"), ...query].join("?") };
};

const changeQuery: Mutation = (request, random) => {
  const [path = "", query = ""] = request.target.split("?");
  const names = [
    ...new URLSearchParams(query).keys(),
    "maxResults",
    "nextToken",
    "pageSize",
    "name",
    "X-Amz-Signature",
  ];
  const odd = random.pick(ODD_TEXTS).replace(/[\ud800-\udfff]/g, "");
  const value = random.pick([encodeURIComponent(odd), odd, "%"]);
  return { ...request, target: `${path}?${query}&${random.pick(names)}=${value}` };
};

const changeHeader: Mutation = (request, random) => ({
  ...request,
  headers: { ...request.headers, [random.pick(HEADER_NAMES)]: random.pick(ODD_TEXTS) },
});

const MUTATIONS: readonly Mutation[] = [
  changeJson,
  changeJson,
  changeJson,
  spoilBytes,
  nestDeeply,
  changeMethod,
  changePath,
  changeQuery,
  changeHeader,
];

/** Up to three things about the request are no longer as they should be. */
export function mutate(request: RawRequest, random: Random): RawRequest {
  let mutated = request;
  for (let left = random.below(4); left > 0; left -= 1) mutated = random.pick(MUTATIONS)(mutated, random);
  return mutated;
}

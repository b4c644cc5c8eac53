/**
 * The text that a SigV4 signature is made of. *Canonical* is what signer and verifier arrive at alike, however the
 * request was written: unreserved characters as they are, every other byte as `%XX` in upper case.
 */

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);

/** RFC 3986 §2.3: letters, digits, `-`, `.`, `_` and `~`. */
const UNRESERVED = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", "latin1"),
);

function encodeBytes(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) text += UNRESERVED.has(byte) ? String.fromCharCode(byte) : HEX[byte]!;
  return text;
}

/** Encodes text that is plain, percent signs included. */
const encodePlain = (text: string): string => encodeBytes(Buffer.from(text, "utf8"));

/** Encodes text that may be encoded already, in one of several ways. A percent sign that encodes nothing is plain. */
const encodeOnce = (text: string): string =>
  text
    .split(/(%[\da-fA-F]{2})/)
    .map((part, index) =>
      index % 2 === 0 ? encodePlain(part) : encodeBytes([Number.parseInt(part.slice(1), 16)]),
    )
    .join("");

/** Path and query of a request's target. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf("?");
  return at < 0 ? { path: target, query: "" } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** Without empty segments, `.` and `..`; a final slash stays. */
function normalizedPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") kept.pop();
    else kept.push(segment);
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/**
 * The paths that a signer may have meant: encoded once more than it travels, as all services but S3 have it, or as
 * it travels, as some clients have it.
 */
export function canonicalPaths(path: string): readonly string[] {
  const twice = normalizedPath(path).split("/").map(encodePlain).join("/");
  const once = path.split("/").map(encodeOnce).join("/");
  return twice === once ? [twice] : [twice, once];
}

/** One parameter of a query, both parts canonical. */
export type QueryParameter = readonly [name: string, value: string];

export const canonicalParameters = (query: string): readonly QueryParameter[] =>
  query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      return at < 0
        ? ([encodeOnce(part), ""] as const)
        : ([encodeOnce(part.slice(0, at)), encodeOnce(part.slice(at + 1))] as const);
    });

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const canonicalQuery = (parameters: readonly QueryParameter[]): string =>
  Array.from(parameters)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

/** Header values lose spaces around them, and all but one of those within. */
const canonicalValue = (value: string): string => value.trim().replace(/ {2,}/g, " ");

/** `name:value` lines of the signed headers; undefined when one of them did not come. */
export function canonicalHeaders(
  headers: ReadonlyMap<string, string>,
  names: readonly string[],
): string | undefined {
  let lines = "";
  for (const name of names) {
    const value = headers.get(name);
    if (value === undefined) return undefined;
    lines += `${name}:${canonicalValue(value)}\n`;
  }
  return lines;
}

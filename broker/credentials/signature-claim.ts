import { canonicalParameters, type QueryParameter, splitTarget } from "./canonical-text.js";

/** What a request says about its signature; nothing of it is proven. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly scope: SignatureScope;
  /** Lower case, in the order given. */
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly signedAt: string;
  readonly sessionToken: string | undefined;
  /** In the query (a *presigned* request): how long it is good for, if it says so. In headers: undefined. */
  readonly presigned: { readonly expiresS: number | undefined } | undefined;
}

/** What a signature is good for. */
export interface SignatureScope {
  /** `YYYYMMDD`. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

/** The parts of a request that a signature covers. */
export interface SignableRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** `unsigned`, a claim, or why it is none. */
export type ClaimReading = "unsigned" | SignatureClaim | { readonly problem: string };

const ALGORITHM = "AWS4-HMAC-SHA256";
const CREDENTIAL = /^([\w-]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request$/;
const SIGNATURE = /^[\da-f]{64}$/;
const HEADER_NAMES = /^[\w-]{1,64}(?:;[\w-]{1,64}){0,63}$/;
const TIMESTAMP = /^\d{8}T\d{6}Z$/;
const MAX_EXPIRES_S = 604_800;

/** Reads the signature of a request from its headers, else from its query. */
export function readClaim({ headers, target }: SignableRequest): ClaimReading {
  const authorization = headers.get("authorization");
  if (authorization?.startsWith("AWS4-") === true) return fromHeaders(authorization, headers);
  const { query } = splitTarget(target);
  if (!query.includes("X-Amz-Algorithm=")) return "unsigned";
  return fromQuery(canonicalParameters(query));
}

function fromHeaders(authorization: string, headers: ReadonlyMap<string, string>): ClaimReading {
  const [algorithm, rest] = splitOnce(authorization, " ");
  const parts = new Map(rest.split(",").map((part) => splitOnce(part.trim(), "=")));
  return toClaim({
    algorithm,
    credential: parts.get("Credential"),
    signedHeaders: parts.get("SignedHeaders"),
    signature: parts.get("Signature"),
    signedAt: headers.get("x-amz-date"),
    sessionToken: headers.get("x-amz-security-token"),
    presigned: undefined,
  });
}

function fromQuery(parameters: readonly QueryParameter[]): ClaimReading {
  const plain = new Map(parameters.map(([name, value]) => [name, decodeURIComponentSafely(value)]));
  if (plain.size !== parameters.length && hasTwice(parameters)) return { problem: "a parameter comes twice" };
  const expires = plain.get("X-Amz-Expires");
  const expiresS = expires === undefined ? undefined : Number(expires);
  if (expiresS !== undefined && !(Number.isInteger(expiresS) && expiresS > 0 && expiresS <= MAX_EXPIRES_S))
    return { problem: `X-Amz-Expires must be 1 to ${MAX_EXPIRES_S} seconds` };
  return toClaim({
    algorithm: plain.get("X-Amz-Algorithm"),
    credential: plain.get("X-Amz-Credential"),
    signedHeaders: plain.get("X-Amz-SignedHeaders"),
    signature: plain.get("X-Amz-Signature"),
    signedAt: plain.get("X-Amz-Date"),
    sessionToken: plain.get("X-Amz-Security-Token"),
    presigned: { expiresS },
  });
}

const hasTwice = (parameters: readonly QueryParameter[]): boolean => {
  const own = parameters.filter(([name]) => name.startsWith("X-Amz-")).map(([name]) => name);
  return new Set(own).size !== own.length;
};

interface ClaimTexts {
  readonly algorithm: string | undefined;
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly signedAt: string | undefined;
  readonly sessionToken: string | undefined;
  readonly presigned: SignatureClaim["presigned"];
}

function toClaim(texts: ClaimTexts): ClaimReading {
  const { algorithm, credential = "", signedHeaders = "", signature = "", signedAt = "" } = texts;
  if (algorithm !== ALGORITHM) return { problem: `the algorithm must be ${ALGORITHM}` };
  const [, accessKeyId, day, region, service] = CREDENTIAL.exec(credential) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined)
    return { problem: "Credential must be key/day/region/service/aws4_request" };
  if (!HEADER_NAMES.test(signedHeaders)) return { problem: "SignedHeaders must name headers" };
  if (!SIGNATURE.test(signature)) return { problem: "Signature must have 64 hexadecimal digits" };
  if (!TIMESTAMP.test(signedAt)) return { problem: "X-Amz-Date must be like 20260131T120000Z" };
  if (!signedAt.startsWith(day)) return { problem: "Credential and X-Amz-Date name different days" };
  return {
    accessKeyId,
    scope: { day, region, service },
    signedHeaders: signedHeaders.toLowerCase().split(";"),
    signature,
    signedAt,
    sessionToken: texts.sessionToken,
    presigned: texts.presigned,
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** Canonical text has no malformed escapes, but bytes that are no UTF-8 it may have. */
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  canonicalHeaders,
  canonicalParameters,
  canonicalPaths,
  canonicalQuery,
  splitTarget,
} from "./canonical-text.js";
import type { SignableRequest, SignatureClaim, SignatureScope } from "./signature-claim.js";

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
const EMPTY = createHash("sha256").digest("hex");

export const sha256Hex = (data: string | Uint8Array): string =>
  data.length === 0 ? EMPTY : createHash("sha256").update(data).digest("hex");

const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** The key that a signature of one day, region and service is made with. */
function signingKey(secret: string, { day, region, service }: SignatureScope): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
}

/**
 * Is this signature the one that the holder of `secret` makes? Where clients differ in what they sign (how often
 * the path is encoded, whether a session token in the query is part of it), any of their ways will do.
 */
export function isSignedWith(secret: string, request: SignableRequest, claim: SignatureClaim): boolean {
  const key = signingKey(secret, claim.scope);
  const given = Buffer.from(claim.signature, "hex");
  let isRight = false;
  for (const canonical of canonicalRequests(request, claim)) {
    const { day, region, service } = claim.scope;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${claim.signedAt}\n${scope}\n${sha256Hex(canonical)}`;
    // Every candidate is compared: how long it takes tells nothing.
    if (timingSafeEqual(hmac(key, text), given)) isRight = true;
  }
  return isRight;
}

/** All texts that the client may have hashed; none when a header that it signed is missing. */
function canonicalRequests(request: SignableRequest, claim: SignatureClaim): readonly string[] {
  const { method, target, headers } = request;
  const { path } = splitTarget(target);
  const lines = canonicalHeaders(headers, claim.signedHeaders);
  if (lines === undefined) return [];
  const hash = payloadHash(request, claim);
  const tail = `${lines}\n${claim.signedHeaders.join(";")}\n${hash}`;
  return canonicalPaths(path).flatMap((uri) =>
    canonicalQueries(target, claim).map((query) => `${method}\n${uri}\n${query}\n${tail}`),
  );
}

/**
 * The signature itself is never signed. AWS: with WebSockets the session token is added to the query after signing;
 * other services want it signed.
 */
function canonicalQueries(target: string, { presigned, sessionToken }: SignatureClaim): readonly string[] {
  const parameters = canonicalParameters(splitTarget(target).query);
  if (presigned === undefined) return [canonicalQuery(parameters)];
  const signed = parameters.filter(([name]) => name !== "X-Amz-Signature");
  if (sessionToken === undefined) return [canonicalQuery(signed)];
  const bare = signed.filter(([name]) => name !== "X-Amz-Security-Token");
  return [canonicalQuery(signed), canonicalQuery(bare)];
}

/** What the client says it hashed, which is checked elsewhere; else the hash of what came. */
function payloadHash({ headers, body }: SignableRequest, { presigned }: SignatureClaim): string {
  const stated = headers.get("x-amz-content-sha256");
  if (stated !== undefined && presigned === undefined) return stated;
  return sha256Hex(body);
}

import type { Clock, FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { parseInstantMs } from "../policy/instant.js";
import type { Credential, CredentialDirectory } from "./credential-directory.js";
import { isSignedWith, sha256Hex, UNSIGNED_PAYLOAD } from "./signature.js";
import { readClaim, type SignableRequest, type SignatureClaim } from "./signature-claim.js";

/** AWS: clocks may differ by five minutes. */
const DEFAULT_SKEW_S = 300;
/** Compared with where there is no such key, so that it takes as long as where there is. */
const NOBODY = "nobody has this secret";

export interface SignatureVerifierOptions {
  readonly clock: Pick<Clock, "wallMs">;
  readonly credentials: CredentialDirectory;
  /** How much the client's clock may differ, in seconds. Default 300. */
  readonly maxSkewS?: number;
}

/** What came of a request's signature. */
export type SignatureVerdict =
  | { readonly kind: "unsigned" }
  | { readonly kind: "valid"; readonly credential: Credential }
  /** The error is for the client. */
  | { readonly kind: "invalid"; readonly error: FleetrigError };

/** Checks SigV4 signatures, in headers and in queries. */
export class SignatureVerifier {
  constructor(private readonly options: SignatureVerifierOptions) {}

  verify(request: SignableRequest): SignatureVerdict {
    const claim = readClaim(request);
    if (claim === "unsigned") return { kind: "unsigned" };
    if ("problem" in claim)
      return refused("IncompleteSignatureException", `The signature cannot be read: ${claim.problem}.`);
    return this.check(request, claim);
  }

  private check(request: SignableRequest, claim: SignatureClaim): SignatureVerdict {
    const coverage = coverageProblem(request, claim) ?? payloadProblem(request, claim);
    if (coverage !== undefined) return refused("InvalidSignatureException", coverage);
    const credential = this.options.credentials.find(claim.accessKeyId);
    const isRight = isSignedWith(credential?.secretAccessKey ?? NOBODY, request, claim);
    if (credential === undefined)
      return refused("UnrecognizedClientException", "The access key id is not known here.");
    if (!isRight)
      return refused("InvalidSignatureException", "The signature is not the one that this key makes.");
    const time = this.timeProblem(claim);
    if (time !== undefined) return refused("InvalidSignatureException", time);
    return this.checkToken(credential, claim);
  }

  private checkToken(credential: Credential, { sessionToken }: SignatureClaim): SignatureVerdict {
    const { sessionToken: expected, expiresAtMs = Number.POSITIVE_INFINITY } = credential;
    // Digests are compared: they have one length, and where they differ tells nothing.
    if (expected !== undefined && sha256Hex(expected) !== sha256Hex(sessionToken ?? ""))
      return refused(
        "UnrecognizedClientException",
        "The session token does not belong to the access key id.",
      );
    if (expiresAtMs <= this.options.clock.wallMs())
      return refused("ExpiredTokenException", "The temporary credentials have expired.");
    return { kind: "valid", credential };
  }

  private timeProblem({ signedAt, presigned }: SignatureClaim): string | undefined {
    const nowMs = this.options.clock.wallMs();
    const skewMs = (this.options.maxSkewS ?? DEFAULT_SKEW_S) * 1_000;
    const atMs = parseInstantMs(
      signedAt.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
    );
    if (atMs === undefined) return `${signedAt} is no time.`;
    if (atMs > nowMs + skewMs) return `It was signed in the future, at ${signedAt}.`;
    const { expiresS } = presigned ?? {};
    const lifeMs = expiresS === undefined ? skewMs : expiresS * 1_000;
    return atMs + lifeMs < nowMs ? `The signature of ${signedAt} has expired.` : undefined;
  }
}

type RefusalName =
  | "IncompleteSignatureException"
  | "InvalidSignatureException"
  | "UnrecognizedClientException"
  | "ExpiredTokenException";

const refused = (name: RefusalName, sentence: string): SignatureVerdict => ({
  kind: "invalid",
  error: cloudError(name, sentence),
});

/** A header that changes what a request means has to be signed: AWS names `host` and all `x-amz-` headers. */
function coverageProblem({ headers }: SignableRequest, claim: SignatureClaim): string | undefined {
  if (!claim.signedHeaders.includes("host")) return "The header host has to be signed.";
  const signed = new Set(claim.signedHeaders);
  for (const name of headers.keys())
    if (name.startsWith("x-amz-") && !signed.has(name) && claim.presigned === undefined)
      return `The header ${name.slice(0, 64)} has to be signed.`;
  return undefined;
}

function payloadProblem({ headers, body }: SignableRequest, claim: SignatureClaim): string | undefined {
  const stated = headers.get("x-amz-content-sha256");
  if (stated === undefined || claim.presigned !== undefined || stated === UNSIGNED_PAYLOAD) return undefined;
  if (stated.startsWith("STREAMING-")) return "Bodies that are signed in chunks are not supported.";
  return stated === sha256Hex(body) ? undefined : "x-amz-content-sha256 is not the hash of the body.";
}

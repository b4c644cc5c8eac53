import type { HttpRequest, HttpResponse } from "../api/http.js";
import { SERVICE_NAMES, serviceModel } from "../api/service-model.js";
import { type ArtifactName, parseArtifactPath } from "./artifact-name.js";
import type { Artifact, ArtifactStore } from "./artifact-store.js";
import { readRange } from "./byte-range.js";
import { formatHttpDate, parseHttpDate } from "./http-date.js";
import { isPresigned, type Presigner } from "./presigner.js";

export interface ArtifactServerOptions {
  readonly store: ArtifactStore;
  readonly presigner: Presigner;
  /** May everybody fetch without a signature? Default false, as with S3. */
  readonly isPublic?: boolean;
}

const NO_BODY = "";

let known: ReadonlySet<string> | undefined;

/** The first segments of all paths of the APIs. */
function apiPaths(): ReadonlySet<string> {
  known ??= new Set(
    SERVICE_NAMES.flatMap((service) => Object.values(serviceModel(service).operations)).map(
      ({ path }) => path.split(/[/?]/)[1] ?? "",
    ),
  );
  return known;
}

/**
 * Artifacts over HTTP in the shape of S3: GET and HEAD on `/<bucket>/<key>` with ranges and conditions. Without a
 * valid presigned query the answer is 403, also for what does not exist.
 */
export class ArtifactServer {
  constructor(private readonly options: ArtifactServerOptions) {}

  /** @returns undefined for requests that are none of its business. */
  handle(request: HttpRequest): HttpResponse | undefined {
    const [path = "", query = ""] = request.target.split("?", 2);
    const parameters = new URLSearchParams(query);
    const isSigned = isPresigned(parameters);
    const name = parseArtifactPath(path.slice(1));
    if (!isSigned && (name === undefined || !this.isOurs(name.bucket))) return undefined;
    const response =
      request.method === "GET" || request.method === "HEAD"
        ? this.respond(name, isSigned ? parameters : undefined, request)
        : failure(405, "MethodNotAllowed", "Artifacts are fetched with GET and HEAD.");
    return request.method === "HEAD" ? { ...response, body: NO_BODY } : response;
  }

  /** Buckets called like a path of the APIs are reached with presigned URLs only. */
  private isOurs(bucket: string): boolean {
    return !apiPaths().has(bucket) && this.options.store.hasBucket(bucket);
  }

  private respond(
    name: ArtifactName | undefined,
    signed: URLSearchParams | undefined,
    request: HttpRequest,
  ): HttpResponse {
    const { store, presigner, isPublic = false } = this.options;
    const verdict =
      name === undefined ? "forged" : signed === undefined ? undefined : presigner.verify(name, signed);
    if (verdict === "expired") return failure(403, "AccessDenied", "Request has expired");
    if (verdict === "forged") return failure(403, "SignatureDoesNotMatch", "The signature is not ours.");
    if (verdict === undefined && !isPublic) return failure(403, "AccessDenied", "Access Denied");
    const artifact = store.find(name!);
    return artifact === undefined
      ? failure(404, "NoSuchKey", "The specified key does not exist.")
      : contentOf(artifact, request.headers);
  }
}

function contentOf(artifact: Artifact, headers: ReadonlyMap<string, string>): HttpResponse {
  const { sizeBytes } = artifact;
  const described = describe(artifact);
  if (isUnwanted(headers.get("if-match"), described.etag))
    return failure(412, "PreconditionFailed", "The artifact is another one now.");
  if (isKnown(headers, artifact, described.etag)) return { status: 304, headers: described, body: NO_BODY };
  const range = rangeOf(headers, artifact, described.etag);
  if (range === "unsatisfiable") {
    const refused = failure(416, "InvalidRange", "The requested range is not satisfiable");
    return { ...refused, headers: { ...refused.headers, "content-range": `bytes */${sizeBytes}` } };
  }
  const { start, length } = range ?? { start: 0, length: sizeBytes };
  const sized = { ...described, "content-length": String(length) };
  const body = artifact.read(start, length);
  if (range === undefined) return { status: 200, headers: sized, body };
  const span = `bytes ${start}-${start + length - 1}/${sizeBytes}`;
  return { status: 206, headers: { ...sized, "content-range": span }, body };
}

const describe = ({ sha256, modifiedMs }: Artifact) => ({
  "accept-ranges": "bytes",
  "content-type": "application/octet-stream",
  etag: `"${sha256}"`,
  "last-modified": formatHttpDate(modifiedMs),
  "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"),
});

/** RFC 9110 §13.1.5: a range of a file that has changed is not what the client thinks; it gets the whole. */
function rangeOf(headers: ReadonlyMap<string, string>, { sizeBytes, modifiedMs }: Artifact, etag: string) {
  const condition = headers.get("if-range");
  const isSame =
    condition === undefined || condition === etag || parseHttpDate(condition) === wholeSeconds(modifiedMs);
  return isSame ? readRange(headers.get("range"), sizeBytes) : undefined;
}

const isUnwanted = (condition: string | undefined, etag: string): boolean =>
  condition !== undefined && !names(condition, etag);

function isKnown(headers: ReadonlyMap<string, string>, { modifiedMs }: Artifact, etag: string): boolean {
  const condition = headers.get("if-none-match");
  if (condition !== undefined) return names(condition, etag);
  const since = parseHttpDate(headers.get("if-modified-since"));
  return since !== undefined && since >= wholeSeconds(modifiedMs);
}

const names = (condition: string, etag: string): boolean =>
  condition.split(",").some((entry) => ["*", etag, `W/${etag}`].includes(entry.trim()));

const wholeSeconds = (wallMs: number): number => Math.floor(wallMs / 1000) * 1000;

/** S3's errors are XML; code and message are ours and need no escaping. */
const failure = (status: number, code: string, message: string): HttpResponse => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

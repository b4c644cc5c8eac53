import { cloudError } from "../cloud-error.js";

/** Where an artifact is, in S3's words: a bucket and a key, which may have slashes. */
export interface ArtifactName {
  readonly bucket: string;
  readonly key: string;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const MAX_KEY_BYTES = 1_024;
const MAX_SEGMENT_BYTES = 255;

/** S3: 3 to 63 lower-case letters, digits, dots and hyphens, dots not side by side. */
export const isBucketName = (text: string): boolean => BUCKET.test(text) && !text.includes("..");

/** Keys that are safe as paths below a directory: S3's, without empty or dotted segments, backslashes and controls. */
export function isArtifactKey(text: string): boolean {
  if (text === "" || Buffer.byteLength(text) > MAX_KEY_BYTES || /[\p{C}\\]/u.test(text)) return false;
  return text
    .split("/")
    .every(
      (segment) =>
        segment !== "" &&
        segment !== "." &&
        segment !== ".." &&
        Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES,
    );
}

/** @throws CLOUD_INVALID_REQUEST for names that no artifact can have. */
export function assertArtifactName({ bucket, key }: ArtifactName): void {
  if (!isBucketName(bucket))
    throw cloudError("InvalidRequestException", `${JSON.stringify(bucket.slice(0, 80))} is no bucket name.`, {
      hint: "Buckets have 3 to 63 lower-case letters, digits, dots and hyphens.",
    });
  if (!isArtifactKey(key))
    throw cloudError("InvalidRequestException", `${JSON.stringify(key.slice(0, 80))} is no artifact key.`, {
      hint: "Keys have at most 1,024 bytes, and no empty, . or .. segments.",
    });
}

const HOST = /^(?:(.{3,63})\.)?s3[.-](?:[a-z0-9-]{1,32}\.)?amazonaws\.com(?:\.cn)?$/;

/** What an S3 URL of either style names; undefined for every other URL. */
export function parseS3Url(url: URL): ArtifactName | undefined {
  const match = HOST.exec(url.hostname);
  if (match === null) return undefined;
  const path = match[1] === undefined ? url.pathname.slice(1) : `${match[1]}${url.pathname}`;
  return parseArtifactPath(path);
}

/** `<bucket>/<key>`, percent-encoded, as a name; undefined when it is none. */
export function parseArtifactPath(path: string): ArtifactName | undefined {
  const slash = path.indexOf("/");
  if (slash === -1) return undefined;
  const bucket = path.slice(0, slash);
  const key = decoded(path.slice(slash + 1));
  return key !== undefined && isBucketName(bucket) && isArtifactKey(key) ? { bucket, key } : undefined;
}

/** Inverse of `parseArtifactPath`. */
export const formatArtifactPath = ({ bucket, key }: ArtifactName): string =>
  `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

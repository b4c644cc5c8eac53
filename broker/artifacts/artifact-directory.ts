import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { replaceFile } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type ArtifactName, assertArtifactName, isArtifactKey, isBucketName } from "./artifact-name.js";
import type { Artifact, ArtifactStore } from "./artifact-store.js";

interface Digest {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
}

const CHUNK_BYTES = 1024 * 1024;
const MAX_DIGESTS = 10_000;

/**
 * Artifacts as files of a directory, `<bucket>/<key>`: what users put there by hand is found as well. Links that lead
 * out of the directory lead nowhere.
 */
export class ArtifactDirectory implements ArtifactStore {
  private readonly root: string;
  private readonly digests = new Map<string, Digest>();

  /** @param directory Created when it does not exist. */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.root = realpathSync(directory);
  }

  find(name: ArtifactName): Artifact | undefined {
    const path = this.pathOf(name);
    if (path === undefined) return undefined;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    const { sha256 } = this.digestOf(path, { sizeBytes: stat.size, modifiedMs: Math.floor(stat.mtimeMs) });
    return {
      bucket: name.bucket,
      key: name.key,
      sizeBytes: stat.size,
      sha256,
      modifiedMs: Math.floor(stat.mtimeMs),
      read: (offset, length) => readPart(path, offset, Math.min(length, stat.size - offset)),
    };
  }

  hasBucket(bucket: string): boolean {
    return isBucketName(bucket) && existsSync(join(this.root, bucket));
  }

  put(name: ArtifactName, content: Uint8Array): Artifact {
    assertArtifactName(name);
    const path = join(this.root, name.bucket, ...name.key.split("/"));
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if (!this.isInside(realpathSync(dirname(path)))) throw outside(name);
      replaceFile(path, content);
    } catch (cause) {
      throw cloudError("InvalidRequestException", `${name.bucket}/${name.key} could not be written.`, {
        hint: "A key cannot go on where another key's file is.",
        cause,
      });
    }
    this.digests.delete(path);
    return this.find(name)!;
  }

  delete(name: ArtifactName): boolean {
    const path = this.find(name) === undefined ? undefined : this.pathOf(name);
    if (path === undefined) return false;
    rmSync(path, { force: true });
    this.digests.delete(path);
    return true;
  }

  /** The real path of an existing file below the root. */
  private pathOf({ bucket, key }: ArtifactName): string | undefined {
    if (!isBucketName(bucket) || !isArtifactKey(key)) return undefined;
    try {
      const path = realpathSync(join(this.root, bucket, ...key.split("/")));
      return this.isInside(path) ? path : undefined;
    } catch {
      return undefined;
    }
  }

  private isInside(path: string): boolean {
    return path.startsWith(this.root + sep);
  }

  private digestOf(path: string, now: Omit<Digest, "sha256">): Digest {
    const known = this.digests.get(path);
    if (known?.sizeBytes === now.sizeBytes && known.modifiedMs === now.modifiedMs) return known;
    const hash = createHash("sha256");
    for (let at = 0; at < now.sizeBytes; at += CHUNK_BYTES)
      hash.update(readPart(path, at, Math.min(CHUNK_BYTES, now.sizeBytes - at)));
    const digest = { ...now, sha256: hash.digest("hex") };
    if (this.digests.size >= MAX_DIGESTS) this.digests.clear();
    this.digests.set(path, digest);
    return digest;
  }
}

const outside = ({ bucket, key }: ArtifactName): Error =>
  cloudError("InvalidRequestException", `${bucket}/${key} lies outside of the artifacts' directory.`);

function readPart(path: string, offset: number, length: number): Uint8Array {
  const buffer = Buffer.alloc(Math.max(0, length));
  const file = openSync(path, "r");
  try {
    const read = readSync(file, buffer, 0, buffer.length, offset);
    return buffer.subarray(0, read);
  } finally {
    closeSync(file);
  }
}

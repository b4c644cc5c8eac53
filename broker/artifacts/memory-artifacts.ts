import { createHash } from "node:crypto";
import type { Clock } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type ArtifactName, assertArtifactName, formatArtifactPath } from "./artifact-name.js";
import type { Artifact, ArtifactStore } from "./artifact-store.js";

export interface MemoryArtifactsOptions {
  readonly clock: Clock;
  /** All contents together. Default 256 MiB. */
  readonly maxBytes?: number;
}

/** Artifacts that live as long as the process: what tests and scenarios use. */
export class MemoryArtifacts implements ArtifactStore {
  private readonly buckets = new Map<string, Map<string, Artifact>>();
  private readonly maxBytes: number;
  private bytes = 0;

  constructor(private readonly options: MemoryArtifactsOptions) {
    this.maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  }

  find({ bucket, key }: ArtifactName): Artifact | undefined {
    return this.buckets.get(bucket)?.get(key);
  }

  hasBucket(bucket: string): boolean {
    return this.buckets.has(bucket);
  }

  put(name: ArtifactName, content: Uint8Array): Artifact {
    assertArtifactName(name);
    const after = this.bytes - (this.find(name)?.sizeBytes ?? 0) + content.byteLength;
    if (after > this.maxBytes)
      throw cloudError("LimitExceededException", `${formatArtifactPath(name)} does not fit into memory.`, {
        hint: "Keep large artifacts in a directory.",
        context: { maxBytes: this.maxBytes },
      });
    const bytes = Uint8Array.from(content);
    const artifact: Artifact = {
      bucket: name.bucket,
      key: name.key,
      sizeBytes: bytes.byteLength,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      modifiedMs: this.options.clock.wallMs(),
      read: (offset, length) => bytes.subarray(offset, offset + length),
    };
    this.bytes = after;
    const ofBucket = this.buckets.get(name.bucket);
    if (ofBucket === undefined) this.buckets.set(name.bucket, new Map([[name.key, artifact]]));
    else ofBucket.set(name.key, artifact);
    return artifact;
  }

  delete(name: ArtifactName): boolean {
    const artifact = this.find(name);
    if (artifact === undefined) return false;
    this.bytes -= artifact.sizeBytes;
    return this.buckets.get(name.bucket)!.delete(name.key);
  }
}

import type { ArtifactName } from "./artifact-name.js";

/** One file that devices can fetch, as it is now. */
export interface Artifact extends ArtifactName {
  readonly sizeBytes: number;
  /** Lower-case hex of the content. */
  readonly sha256: string;
  readonly modifiedMs: number;
  /** Part of the content; shorter at the end. */
  read(offset: number, length: number): Uint8Array;
}

/** Files for over-the-air updates and job documents, by bucket and key. */
export interface ArtifactStore {
  find(name: ArtifactName): Artifact | undefined;
  hasBucket(bucket: string): boolean;
  /** Replaces what has the same name. @throws CLOUD_INVALID_REQUEST, CLOUD_LIMIT_EXCEEDED. */
  put(name: ArtifactName, content: Uint8Array): Artifact;
  /** @returns false when there was none. */
  delete(name: ArtifactName): boolean;
}

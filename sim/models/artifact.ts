import { createHash } from "node:crypto";

/**
 * Firmware images. No bytes are ever downloaded from anywhere: an image is made from its version, so that the
 * one who writes the job document and the device that verifies the download come to the same SHA-256.
 */
export interface Artifact {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Size of the firmware that OTA devices download. */
export const ARTIFACT_BYTES = 65_536;

const SEED_BYTES = 32;
const intact = new Map<string, Artifact>();
const damaged = new Map<string, Artifact>();
/** Versions come from job documents; a run with more of them than this computes some twice. */
const MAX_CACHED = 256;

/** The image of a firmware version, as a healthy download gives it. */
export const artifactFor = (version: string): Artifact => cached(intact, version, false);

/** The same image after a download that flipped one bit in the middle. */
export const corruptedArtifactFor = (version: string): Artifact => cached(damaged, version, true);

function cached(cache: Map<string, Artifact>, version: string, isCorrupted: boolean): Artifact {
  const known = cache.get(version);
  if (known !== undefined) return known;
  const image = imageOf(version);
  if (isCorrupted) image[ARTIFACT_BYTES / 2]! ^= 1;
  const artifact = { bytes: image.length, sha256: createHash("sha256").update(image).digest("hex") };
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(version, artifact);
  return artifact;
}

/** The version's hash, counted up block by block: no two versions share a block. */
function imageOf(version: string): Buffer {
  const image = Buffer.alloc(ARTIFACT_BYTES);
  const seed = createHash("sha256").update(`fleetrig firmware ${version}`).digest();
  for (let offset = 0; offset < ARTIFACT_BYTES; offset += SEED_BYTES) {
    seed.writeUInt32LE((seed.readUInt32LE(0) + 1) >>> 0, 0);
    seed.copy(image, offset);
  }
  return image;
}

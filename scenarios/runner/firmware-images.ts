import { createHash } from "node:crypto";
import type { Cloud } from "fleetrig/broker";
import type { Bench } from "fleetrig/hil";
import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { type Artifact, artifactFor } from "fleetrig/sim";
import type { Scenario } from "../scenario.js";

/** A real firmware image that boards of the run can start. */
interface FirmwareImage extends Artifact {
  readonly content: Uint8Array;
  /** AWS IoT stream that boards fetch it from. */
  readonly streamId: string;
}

/** Images by version; versions without one exist as a hash only (see `artifactFor`). */
export type FirmwareImages = ReadonlyMap<string, FirmwareImage>;

export const NO_IMAGES: FirmwareImages = new Map();

/** The images that the scenario's jobs install, as far as the bench has them. */
export async function firmwareImages(
  { stages }: Scenario,
  bench: Bench | undefined,
): Promise<FirmwareImages> {
  const documents = stages.flatMap(({ actions }) =>
    actions.flatMap((action) => (action.verb === "createJob" ? [action.request["document"]] : [])),
  );
  const versions = new Set(documents.flatMap((document) => versionIn(document) ?? []));
  const images = new Map<string, FirmwareImage>();
  for (const version of versions) {
    const content = await bench?.image(version);
    if (content !== undefined) images.set(version, imageOf(version, content));
  }
  return images;
}

const imageOf = (version: string, content: Uint8Array): FirmwareImage => ({
  content,
  bytes: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
  // Stream ids know no dots.
  streamId: `fw-${version.replaceAll(/[^a-zA-Z0-9-]/g, "_")}`.slice(0, 128),
});

/** The version that a job document asks for. */
function versionIn(document: JsonValue | undefined): string | undefined {
  const version = isJsonObject(document) ? document["version"] : undefined;
  return typeof version === "string" || typeof version === "number" ? `${version}` : undefined;
}

const BUCKET = "firmware";
/** The stream service asks for a role, and never takes it on. */
const ROLE = "arn:aws:iam::000000000000:role/firmware";

/** Puts the images where boards fetch them: one stream each. */
export function offerImages({ management }: Cloud, images: FirmwareImages): void {
  for (const { content, streamId } of images.values()) {
    management.artifacts.store.put({ bucket: BUCKET, key: streamId }, content);
    management.streams.create({
      streamId,
      files: [{ fileId: 0, s3Location: { bucket: BUCKET, key: streamId } }],
      roleArn: ROLE,
    });
  }
}

/**
 * `{artifact.sha256}`, `{artifact.size}` and `{artifact.stream}` in a job document stand for the firmware of its `version`. What has no
 * image has no stream either, and devices only act as if they downloaded it.
 */
export function withArtifact(document: JsonValue | undefined, images: FirmwareImages): JsonObject {
  if (!isJsonObject(document)) return {};
  const version = versionIn(document) ?? "";
  const image = images.get(version);
  const { sha256, bytes } = image ?? artifactFor(version);
  const values: Readonly<Record<string, JsonValue | undefined>> = {
    "{artifact.sha256}": sha256,
    "{artifact.size}": bytes,
    "{artifact.stream}": image?.streamId,
  };
  const entries = Object.entries(document).map(([key, value]): [string, JsonValue | undefined] => [
    key,
    typeof value === "string" && Object.hasOwn(values, value) ? values[value] : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject;
}

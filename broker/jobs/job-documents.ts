import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { Job } from "./job.js";

/**
 * Makes a URL that opens what `url` names, until it expires.
 * @returns undefined when it names nothing that can be opened.
 */
export type PresignUrl = (url: string, expiresInS: number) => string | undefined;

/** AWS: how long presigned URLs hold when the job does not say. */
const DEFAULT_EXPIRES_S = 3_600;
const PLACEHOLDER = /\$\{aws:iot:s3-presigned-url(?:-v2)?:([^{}]{1,2048})\}/g;
const PLACEHOLDER_START = "${aws:iot:s3-presigned-url";

/**
 * Job documents as devices get them. Placeholders for presigned URLs are replaced each time a device asks, so a URL
 * in a document that was kept may have expired (REF §6.1).
 */
export class JobDocuments {
  constructor(private readonly presign: PresignUrl | undefined) {}

  forDevice({ spec }: Job): JsonObject {
    const { presign } = this;
    if (presign === undefined || !spec.documentText.includes(PLACEHOLDER_START)) return spec.document;
    const expiresInS = spec.request.presignedUrlConfig?.expiresInSec ?? DEFAULT_EXPIRES_S;
    const replaced = (text: string): string =>
      text.replace(PLACEHOLDER, (placeholder, url: string) => presign(url.trim(), expiresInS) ?? placeholder);
    return mapTexts(spec.document, replaced) as JsonObject;
  }
}

/** The same JSON with every text but the names of members changed. */
export function mapTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => mapTexts(item, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]));
}

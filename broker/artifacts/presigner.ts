import { createHmac, timingSafeEqual } from "node:crypto";
import { type Clock, formatWallTime } from "fleetrig/kernel";
import { parseUtcTime } from "../jobs/schedule.js";
import { type ArtifactName, formatArtifactPath } from "./artifact-name.js";

/** Does a query look like one of ours? SigV4's name their algorithm. */
export const isPresigned = (query: URLSearchParams): boolean =>
  query.has("X-Amz-Signature") && !query.has("X-Amz-Algorithm");

export interface PresignerOptions {
  readonly clock: Clock;
  /** Whoever knows it can sign. */
  readonly secret: Uint8Array;
}

export type Verdict = "valid" | "expired" | "forged";

const DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** AWS: presigned URLs hold for a week at most. */
const MAX_EXPIRES_S = 604_800;

/** Makes URLs that open one artifact to whoever has them, until they expire. */
export class Presigner {
  constructor(private readonly options: PresignerOptions) {}

  /** @param base Such as `https://127.0.0.1:8443`, without a slash at the end. */
  sign(name: ArtifactName, base: string, expiresInS: number): string {
    const date = compactDate(this.options.clock.wallMs());
    const query = new URLSearchParams({
      "X-Amz-Date": date,
      "X-Amz-Expires": String(expiresInS),
      "X-Amz-Signature": this.signature(name, date, String(expiresInS)).toString("hex"),
    });
    return `${base}/${formatArtifactPath(name)}?${query.toString()}`;
  }

  verify(name: ArtifactName, query: URLSearchParams): Verdict {
    const [date, expires, signature] = ["X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"].map(
      (parameter) => query.get(parameter) ?? "",
    ) as [string, string, string];
    if (!/^\d{1,6}$/.test(expires) || Number(expires) > MAX_EXPIRES_S) return "forged";
    const given = Buffer.from(signature, "hex");
    const expected = this.signature(name, date, expires);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "forged";
    const signedMs = parseUtcTime(date.replace(DATE, "$1-$2-$3T$4:$5:$6Z")) ?? 0;
    return this.options.clock.wallMs() < signedMs + Number(expires) * 1000 ? "valid" : "expired";
  }

  private signature(name: ArtifactName, date: string, expires: string): Buffer {
    const text = ["presigned", date, expires, formatArtifactPath(name)].join("\n");
    return createHmac("sha256", this.options.secret).update(text).digest();
  }
}

/** `20261121T070000Z`. */
const compactDate = (wallMs: number): string =>
  `${formatWallTime(wallMs).slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

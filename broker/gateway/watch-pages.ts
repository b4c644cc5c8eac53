import { createHash, timingSafeEqual } from "node:crypto";
import type { Caller, HttpRequest, HttpResponse } from "../api/index.js";
import { cloudError } from "../cloud-error.js";
import { ROUTES } from "../observe/http-routes.js";
import type { Observatory } from "../observe/index.js";
import type { AwsMetrics } from "./aws-metrics.js";

export interface WatchPagesOptions {
  readonly observatory: Observatory;
  readonly metrics: AwsMetrics;
  readonly token: string;
}

const METRICS_PATH = "/metrics";

/**
 * `/health`, `/metrics`, `/clients` and `/slow-subscribers`, as `fleetrig broker --http` has them. Who may do
 * everything over the APIs may see everything here; others need the token, and without it hear the bare status.
 */
export class WatchPages {
  private readonly digest: Buffer;

  constructor(private readonly options: WatchPagesOptions) {
    this.digest = sha256(options.token);
  }

  /** @returns undefined for paths that are no pages. @throws FleetrigError for the client to read. */
  handle(request: HttpRequest, caller: Caller): Promise<HttpResponse> | undefined {
    const [path = "", query = ""] = request.target.split("?", 2);
    const route = ROUTES.get(path);
    if (route === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD")
      throw cloudError("MethodNotAllowedException", `${path} has GET only.`);
    const isTrusted = caller.kind === "operator" || caller.kind === "credentials" || this.showsToken(request);
    if (!isTrusted && route.audience !== "all")
      throw cloudError("ForbiddenException", `${path} needs the token that was shown at the start.`, {
        hint: "Send it as Authorization: Bearer <token>.",
      });
    return this.answer(path, new URLSearchParams(query), isTrusted);
  }

  private async answer(path: string, query: URLSearchParams, isTrusted: boolean): Promise<HttpResponse> {
    const { observatory, metrics } = this.options;
    const { status, contentType, body } = await ROUTES.get(path)!.answer({ observatory, query, isTrusted });
    const more = path === METRICS_PATH ? metrics.render(observatory.reading()) : "";
    return { status, headers: { "content-type": contentType }, body: body + more };
  }

  private showsToken({ headers }: HttpRequest): boolean {
    const [, token] = /^Bearer ([\w~+/.=-]{1,512})$/i.exec(headers.get("authorization") ?? "") ?? [];
    return token !== undefined && timingSafeEqual(sha256(token), this.digest);
  }
}

/** Digests have one length, so that comparing them tells nothing about the token's. */
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

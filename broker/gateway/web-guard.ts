import { isIP } from "node:net";
import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { isLoopbackHost } from "../listeners/web-origin.js";

/** What a request says about where it goes and where it comes from. */
export interface GuardedRequest {
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly isSecured: boolean;
  /** Of the listener. */
  readonly localPort: number;
  /** The listener can be reached from this machine only. */
  readonly isLoopback: boolean;
}

export interface WebGuardOptions {
  /** Names that clients may call this server by, besides those of this machine: `name` or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** Web pages of other origins that may use it, as `https://example.org`. */
  readonly allowedOrigins: readonly string[];
  /** Custom domains that are configured in the cloud. */
  readonly isOwnDomain?: (name: string) => boolean;
}

/** AWS's own names of endpoints; whoever maps them to this machine does it on purpose. */
const AWS_ENDPOINT =
  /^[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,3}\.iot\.[a-z]{2}-[a-z-]{3,20}-\d\.amazonaws\.com$/;

/** Is this a name that AWS gives endpoints of AWS IoT? */
export const isAwsEndpoint = (name: string): boolean => AWS_ENDPOINT.test(name);

/**
 * Keeps web pages out that the user did not mean to let in (reliability G1 to G4). A page whose name was made to
 * point at this machine is betrayed by `Host`, one of another origin by `Origin` or `Sec-Fetch-Site`. Programs send
 * none of the latter, and call the server by its name.
 */
export class WebGuard {
  private readonly hosts: ReadonlySet<string>;
  private readonly origins: ReadonlySet<string>;

  constructor(private readonly options: WebGuardOptions) {
    this.hosts = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
    this.origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()));
  }

  /** Why a request is not looked at any further; undefined when it is. */
  refusal(request: GuardedRequest): FleetrigError | undefined {
    return this.hostRefusal(request) ?? this.originRefusal(request);
  }

  /** What has to be right about any request. */
  hostRefusal(request: GuardedRequest): FleetrigError | undefined {
    if (!request.target.startsWith("/"))
      return cloudError("InvalidRequestException", "The request names no path of this server.");
    if (this.isKnownHost(request)) return undefined;
    return cloudError(
      "MisdirectedRequestException",
      "The Host header names another server, or another port.",
      {
        hint: "Use localhost or the address; allow other names with --allow-host.",
      },
    );
  }

  /** What has to be right about a request that shows nothing else to trust it by. */
  originRefusal({ headers, isSecured }: GuardedRequest): FleetrigError | undefined {
    const origin = headers.get("origin")?.toLowerCase();
    if (origin !== undefined && this.origins.has(origin)) return undefined;
    const own = `${isSecured ? "https" : "http"}://${headers.get("host")?.toLowerCase()}`;
    const site = headers.get("sec-fetch-site");
    const isForeign =
      (origin ?? own) !== own || (site !== undefined && site !== "none" && site !== "same-origin");
    if (!isForeign) return undefined;
    return cloudError("ForbiddenException", "Pages of other origins may not use this server.", {
      hint: "Allow the page's origin with --allow-origin.",
    });
  }

  private isKnownHost({ headers, localPort, isLoopback }: GuardedRequest): boolean {
    const host = headers.get("host")?.toLowerCase() ?? "";
    const [, name = "", digits] =
      /^(\[[\da-f:.]{2,45}\]|[^\s:/@[\]]{1,253})(?::(\d{1,5}))?$/.exec(host) ?? [];
    const bare = name.replace(/^\[|\]$/g, "");
    if (bare === "") return false;
    if (this.hosts.has(host) || this.hosts.has(bare)) return true;
    if (isAwsEndpoint(bare) || this.options.isOwnDomain?.(bare) === true) return true;
    // Browsers name every port but the default one; the WebSockets of the AWS device SDKs name none at all.
    if (digits !== undefined && Number(digits) !== localPort) return false;
    // Beyond loopback, addresses are fine: only names can be made to point here by somebody else.
    return isLoopbackHost(bare) || (!isLoopback && isIP(bare) !== 0);
  }
}

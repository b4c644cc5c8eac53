import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { BearerToken } from "../bearer-token.js";

/** A request that is not answered, and why. */
interface HttpRefusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What protects an endpoint. */
export interface HttpGuardOptions {
  /** Address listened on. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Names, besides this host's own, that clients may call it by. */
  readonly allowedHosts: readonly string[];
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Nothing but this machine can reach it. */
const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);

/**
 * Keeps web pages and strangers out. A page that made its name resolve to this machine is betrayed by `Host`, one that
 * sends requests across origins by `Origin` or `Sec-Fetch-Site`; programs have none of these problems and a token.
 */
export class HttpGuard {
  private readonly token: BearerToken;
  private readonly isLocal: boolean;

  constructor(private readonly options: HttpGuardOptions) {
    this.token = new BearerToken(options.token);
    this.isLocal = isLoopback(options.host);
  }

  /** Rules for every request; undefined when it may go on. */
  refusal(request: IncomingMessage): HttpRefusal | undefined {
    const { headers, method } = request;
    if (!this.isKnownHost(headers.host ?? ""))
      return { status: 421, message: "This server goes by another name." };
    if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`)
      return { status: 403, message: "Pages of other origins may not read this." };
    const site = headers["sec-fetch-site"];
    if (site !== undefined && site !== "none" && site !== "same-origin")
      return { status: 403, message: "Other sites may not read this." };
    if (method !== "GET")
      return { status: 405, message: "There is only GET here.", headers: { Allow: "GET" } };
    if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0)
      return { status: 413, message: "A GET has no body here." };
    return undefined;
  }

  /** Does the request show the token? */
  isTrusted({ headers }: IncomingMessage): boolean {
    return this.token.isShownBy(headers.authorization);
  }

  /** May metrics be read, and health in detail, without the token? On loopback only. */
  get isOpenToLocal(): boolean {
    return this.isLocal;
  }

  /** Beyond loopback, addresses are fine: only a name can be made to point here by somebody else. */
  private isKnownHost(host: string): boolean {
    const [, name = "", port] = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(host) ?? [];
    if (name === "" || Number(port ?? 80) !== this.options.port) return false;
    const lower = name.toLowerCase();
    if (LOOPBACK.has(lower) || lower === this.options.host.toLowerCase()) return true;
    if (this.options.allowedHosts.some((allowed) => allowed.toLowerCase() === lower)) return true;
    return !this.isLocal && isIP(lower.replace(/^\[|\]$/g, "")) !== 0;
  }
}

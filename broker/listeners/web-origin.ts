import { isIP } from "node:net";

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "::1"]);

/** Is this an address, or a name, of this machine alone? */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return (
    LOOPBACK_NAMES.has(name) || name.endsWith(".localhost") || (isIP(name) === 4 && name.startsWith("127."))
  );
}

/** Name or address in a `Host` header, without port and brackets; undefined when it is malformed. */
function hostOfHeader(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]+))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** Which names and which pages a WebSocket listener answers to. */
export interface WebAudience {
  /** Undefined: any. */
  readonly hosts: readonly string[] | undefined;
  readonly origins: readonly string[] | undefined;
  /** The listener can be reached from this machine only. */
  readonly isLoopback: boolean;
}

/**
 * May a request with this `Host` and `Origin` open a WebSocket? A web page can reach any server its browser can, and
 * a name that was rebound to 127.0.0.1 even looks like the same host: so both are checked.
 * @returns why not.
 */
export function audienceRefusal(
  audience: WebAudience,
  { host, origin }: { readonly host: string | undefined; readonly origin: string | undefined },
): string | undefined {
  const name = host === undefined ? undefined : hostOfHeader(host);
  if (name === undefined) return "the Host header is missing or malformed";
  if (audience.hosts !== undefined && !audience.hosts.some((one) => one.toLowerCase() === name))
    return "the Host header names another server";
  if (audience.hosts === undefined && audience.isLoopback && !isLoopbackHost(name))
    return "the Host header names another server";
  return origin === undefined || isWelcome(audience, origin, name)
    ? undefined
    : "the page's origin is not allowed";
}

function isWelcome({ origins }: WebAudience, origin: string, name: string): boolean {
  if (origins !== undefined) return origins.includes("*") || origins.includes(origin.toLowerCase());
  const [, authority] = /^https?:\/\/([^/]+)$/i.exec(origin) ?? [];
  const page = authority === undefined ? undefined : hostOfHeader(authority);
  return page !== undefined && (page === name || isLoopbackHost(page));
}

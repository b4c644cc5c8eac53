import { FleetrigError } from "fleetrig/kernel";
import type { Transport } from "fleetrig/protocol";
import type { ListenerOptions } from "./listener-options.js";

/** The schemes of listener URLs and of endpoints, with the ports they stand for. */
const SCHEMES: Readonly<Record<string, { readonly transport: Transport; readonly port: number }>> = {
  mqtt: { transport: "tcp", port: 1883 },
  mqtts: { transport: "tls", port: 8883 },
  ws: { transport: "ws", port: 80 },
  wss: { transport: "wss", port: 443 },
};

const NAMES: Readonly<Record<Transport, string>> = {
  tcp: "mqtt",
  tls: "mqtts",
  ws: "ws",
  wss: "wss",
  unix: "unix",
};

/** Path of MQTT over WebSocket where nothing else is said. */
export const WEB_SOCKET_PATH = "/mqtt";

const invalid = (text: string, what: string): FleetrigError =>
  new FleetrigError("LISTENER_URL_INVALID", `${JSON.stringify(text)} is no address to listen on: ${what}.`, {
    hint: "Write mqtt://127.0.0.1:1883, mqtts://, ws://host:port/mqtt, wss:// or unix:/path/of/socket; port 0 takes any free one.",
    context: { url: text },
    exitCode: 2,
  });

/**
 * Reads `mqtt://host:port`, `mqtts://`, `ws://host:port/path`, `wss://` and `unix:/path`. Without a host it is
 * 127.0.0.1, without a port the scheme's own.
 * @throws FleetrigError `LISTENER_URL_INVALID`.
 */
export function parseListenerUrl(text: string): ListenerOptions {
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  if (scheme === "unix") return unixSocket(text, rest);
  const kind = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (kind === undefined)
    throw invalid(text, scheme === "" ? "it has no scheme" : `nothing speaks ${scheme}:`);
  if (!rest.startsWith("//")) throw invalid(text, "// is missing after the scheme");
  const [, hostAndPort = "", path = ""] = /^\/\/([^/?#]*)(.*)$/s.exec(rest) ?? [];
  if (/[?#]/.test(path)) throw invalid(text, "it can have no query and no fragment");
  const isWebSocket = kind.transport === "ws" || kind.transport === "wss";
  if (!isWebSocket && path !== "" && path !== "/") throw invalid(text, "only ws: and wss: have a path");
  const { host, port } = readAuthority(text, hostAndPort, kind.port);
  return {
    transport: kind.transport,
    host,
    port,
    ...(isWebSocket && { path: path === "" || path === "/" ? WEB_SOCKET_PATH : path }),
  };
}

function unixSocket(text: string, rest: string): ListenerOptions {
  const path = rest.startsWith("//") ? rest.slice(2) : rest;
  if (!path.startsWith("/") || path.includes("\u0000")) throw invalid(text, "the path must begin with /");
  return { transport: "unix", path };
}

function readAuthority(text: string, authority: string, defaultPort: number): { host: string; port: number } {
  if (authority.includes("@")) throw invalid(text, "a listener has no user name");
  const [, bracketed, plain = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority) ?? [];
  if (bracketed === undefined && plain === "" && authority !== "" && digits === undefined)
    throw invalid(text, "an IPv6 address stands in brackets");
  const port = digits === undefined || digits === "" ? defaultPort : Number(digits);
  if (port > 65_535) throw invalid(text, "ports end at 65535");
  const host = bracketed ?? (plain === "" ? "127.0.0.1" : plain);
  if (/\s/.test(host) || host === "") throw invalid(text, "the host is not a name or an address");
  return { host, port };
}

/** Where something listens, to show and to dial. */
export interface ListenAddress {
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket or a WebSocket. */
  readonly path?: string | undefined;
}

/** The URL that clients use. */
export function formatListenerUrl({ transport, host, port, path }: ListenAddress): string {
  if (transport === "unix") return `unix:${path ?? ""}`;
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${NAMES[transport]}://${shown}:${port}${transport === "ws" || transport === "wss" ? path : ""}`;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EXIT, FleetrigError, hostSecret, type Service } from "fleetrig/kernel";
import { HttpGuard } from "./http-guard.js";
import { type HttpAnswer, jsonAnswer, ROUTES } from "./http-routes.js";
import type { Observatory } from "./observatory.js";

/** Where the broker can be watched over HTTP. */
export interface HttpOptions {
  /** Default 127.0.0.1. Beyond loopback everything but the bare status needs the token. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** At least 16 characters. Default: a new one that nobody can guess. */
  readonly token?: string;
  /** Names that clients may call this server by, besides addresses and localhost. */
  readonly allowedHosts?: readonly string[];
}

/** An open endpoint. */
export interface HttpEndpoint extends Service {
  readonly url: string;
  readonly token: string;
}

const MIN_TOKEN_LENGTH = 16;
/** A dashboard and a scraper need a few; more would only cost descriptors. */
const MAX_CONNECTIONS = 64;
const TIMEOUT_MS = 10_000;

const SETTINGS = {
  headersTimeout: TIMEOUT_MS,
  requestTimeout: TIMEOUT_MS,
  keepAliveTimeout: TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_MS / 2,
  maxHeaderSize: 8 * 1024,
} as const;

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
} as const;

/**
 * Opens the endpoint. Resolves once it can be asked.
 * @throws FleetrigError `OBSERVE_TOKEN_SHORT`, `LISTENER_UNAVAILABLE`
 */
export async function openHttpEndpoint(
  observatory: Observatory,
  options: HttpOptions,
): Promise<HttpEndpoint> {
  const { host = "127.0.0.1", port, token = hostSecret(), allowedHosts = [] } = options;
  if (token.length < MIN_TOKEN_LENGTH)
    throw new FleetrigError("OBSERVE_TOKEN_SHORT", `The token has ${token.length} characters.`, {
      hint: `Give it ${MIN_TOKEN_LENGTH} or more, or leave it out: a good one is made then.`,
      exitCode: EXIT.usage,
    });
  let guard: HttpGuard | undefined;
  const server = createServer(SETTINGS, (request, response) => {
    if (guard === undefined) response.destroy();
    else void serve({ observatory, guard, request, response });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 50;
  const address = await listening(server, host, port);
  guard = new HttpGuard({ host, port: address.port, token, allowedHosts });
  const shown = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${shown}:${address.port}`, token, stop: () => close(server) };
}

interface Exchange {
  readonly observatory: Observatory;
  readonly guard: HttpGuard;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve({ observatory, guard, request, response }: Exchange): Promise<void> {
  // Nobody is answered before its body is known to be none; what comes all the same is not read.
  const refusal = guard.refusal(request);
  if (refusal !== undefined) {
    const { status, message, headers } = refusal;
    send(response, jsonAnswer({ error: message }, status), { ...headers, Connection: "close" });
    return;
  }
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const route = ROUTES.get(path);
  if (route === undefined) {
    send(response, jsonAnswer({ error: `There is ${Array.from(ROUTES.keys()).join(", ")}.` }, 404));
    return;
  }
  const hasToken = guard.isTrusted(request);
  const isTrusted = hasToken || (guard.isOpenToLocal && route.audience !== "trusted");
  if (!isTrusted && route.audience !== "all") {
    const challenge = { "WWW-Authenticate": 'Bearer realm="fleetrig broker"' };
    send(response, jsonAnswer({ error: "This needs the token shown at start." }, 401), challenge);
    return;
  }
  try {
    send(response, await route.answer({ observatory, query: new URLSearchParams(query), isTrusted }));
  } catch {
    send(response, jsonAnswer({ error: "The answer could not be made." }, 500));
  }
}

function send(
  response: ServerResponse,
  { status, contentType, body }: HttpAnswer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const length = Buffer.byteLength(body);
  response.writeHead(status, {
    ...HEADERS,
    "Content-Type": contentType,
    "Content-Length": length,
    ...headers,
  });
  response.end(body);
}

const listening = (server: Server, host: string, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new FleetrigError("LISTENER_UNAVAILABLE", `Cannot listen on ${host}:${port}: ${cause.message}.`, {
          hint: "Choose another port, or 0 for any free one.",
          context: { host, port },
          cause,
        }),
      ),
    );
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

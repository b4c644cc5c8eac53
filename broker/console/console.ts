import { readFileSync } from "node:fs";
import express, { type NextFunction, type Request, type Response, Router } from "express";
import { FleetrigError } from "fleetrig/kernel";
import { BearerToken } from "../bearer-token.js";
import type { Cloud } from "../cloud.js";
import { cloudError } from "../cloud-error.js";
import type { WebMount } from "../gateway/index.js";
import { LocalSubscriptions } from "../server/index.js";
import { disconnectAction, publishAction, shadowAction } from "./actions.js";
import { MessageStream } from "./message-stream.js";
import { PAGE_HTML } from "./page-html.js";
import {
  connectionsReading,
  type ConsoleSource,
  denialsReading,
  jobsReading,
  thingReading,
  thingsReading,
} from "./readings.js";
import { STYLE_CSS } from "./style.js";

export interface ConsoleOptions extends ConsoleSource {
  /** What the page has to show before it gets any data. */
  readonly token: string;
}

/** Where the console is, relative to the server. */
export const CONSOLE_PATH = "/console";

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** The scripts that the compiler makes of `page/`. */
const SCRIPTS = ["app", "connections", "denials", "element", "jobs", "messages", "session", "things", "view"];
const PAGE_FOLDER = import.meta.url.endsWith(".ts") ? "../../dist/broker/console/page/" : "./page/";
const MAX_BODY = "256kb";

const ACTIONS: Readonly<Record<string, (cloud: Cloud, body: unknown) => void>> = {
  disconnect: disconnectAction,
  publish: publishAction,
  shadow: shadowAction,
};

const READINGS: Readonly<Record<string, (source: ConsoleSource, query: URLSearchParams) => unknown>> = {
  connections: connectionsReading,
  things: (source, query) => thingsReading(source, query.get("prefix") ?? ""),
  thing: (source, query) => thingReading(source, query.get("name") ?? ""),
  jobs: jobsReading,
  denials: denialsReading,
};

/**
 * The console: a page whose script reads and changes the cloud through routes of its own, which all want the token.
 * The page itself holds nothing that anybody could not read in the source.
 */
export function createConsole(options: ConsoleOptions): WebMount {
  const router = Router({ caseSensitive: true, strict: true });
  router.use((_request: Request, response: Response, next: NextFunction) => {
    response.set(HEADERS);
    next();
  });
  // Relative addresses on the page need the slash.
  router.get("/", (request: Request, response: Response) => {
    if (request.originalUrl.split("?", 1)[0] === CONSOLE_PATH) response.redirect(308, `${CONSOLE_PATH}/`);
    else response.type("html").send(PAGE_HTML);
  });
  router.get("/style.css", (_request: Request, response: Response) => {
    response.type("css").send(STYLE_CSS);
  });
  for (const script of SCRIPTS)
    router.get(`/page/${script}.js`, (_request: Request, response: Response) => {
      response.type("js").send(readFileSync(new URL(`${PAGE_FOLDER}${script}.js`, import.meta.url), "utf8"));
    });
  router.use("/api", dataRouter(options));
  router.use((_request: Request, response: Response) => {
    response.status(404).json({ message: "The console has no such page." });
  });
  return { path: CONSOLE_PATH, handler: router };
}

function dataRouter({ token, ...source }: ConsoleOptions): Router {
  const { cloud } = source;
  const secret = new BearerToken(token);
  const router = Router({ caseSensitive: true, strict: true });
  router.use((request: Request, response: Response, next: NextFunction) => {
    if (secret.isShownBy(request.headers.authorization)) next();
    else response.status(401).json({ message: "This needs the token that was shown at the start." });
  });
  for (const [name, reading] of Object.entries(READINGS))
    router.get(`/${name}`, (request: Request, response: Response) => {
      response.json(reading(source, queryOf(request)));
    });
  for (const [name, action] of Object.entries(ACTIONS))
    router.post(`/${name}`, express.json({ limit: MAX_BODY }), (request: Request, response: Response) => {
      action(cloud, request.body);
      response.status(204).end();
    });
  const local = new LocalSubscriptions(cloud.broker);
  router.get("/messages", (request: Request, response: Response) => {
    const filter = queryOf(request).get("filter") ?? "";
    const stream = new MessageStream(response);
    const unsubscribe = local.subscribe(filter, (message) => stream.take(message));
    response.on("close", unsubscribe);
    stream.begin();
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const refusal = refusalOf(error);
    if (refusal === undefined) next(error);
    else response.status(refusal.status).json({ message: refusal.message });
  });
  return router;
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } | undefined {
  if (error instanceof FleetrigError) {
    const { httpStatus } = error.context;
    return { status: typeof httpStatus === "number" ? httpStatus : 400, message: error.sentence };
  }
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status === "number" && status < 500
    ? { status, message: cloudError("InvalidRequestException", "The body is no JSON, or too long.").sentence }
    : undefined;
}

const queryOf = ({ url }: Request): URLSearchParams => new URLSearchParams(url.split("?", 2)[1] ?? "");

import type { IncomingMessage, ServerResponse } from "node:http";
import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";
import type { WebRefusal } from "../listeners/index.js";
import { sendAnswer } from "./web-answer.js";

/** Pages or files below one path; sees the rest of the path as `request.url`. */
export interface WebMount {
  readonly path: string;
  readonly handler: RequestHandler;
}

export interface WebAppOptions {
  /** Asked about every request before anybody looks at it. */
  readonly guard: (request: IncomingMessage) => WebRefusal | undefined;
  readonly mounts: readonly WebMount[];
  /** Everything that is below no mount. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** What a handler has thrown. */
  readonly fail: (error: unknown, response: ServerResponse) => void;
}

/** What guards, pages and APIs make together. */
export function createWebApp({
  guard,
  mounts,
  serve,
  fail,
}: WebAppOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.use((request: Request, response: Response, next: NextFunction) => {
    const refusal = guard(request);
    if (refusal === undefined) next();
    else sendAnswer(response, { ...refusal, headers: { ...refusal.headers, Connection: "close" } });
  });
  for (const { path, handler } of mounts) app.use(path, handler);
  app.use((request: Request, response: Response) => serve(request, response));
  // Express tells this kind of handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    fail(error, response),
  );
  return app;
}

import type { ServerResponse } from "node:http";
import type { FleetrigError } from "fleetrig/kernel";
import type { HttpResponse } from "../api/index.js";
import type { WebRefusal } from "../listeners/index.js";

/** On every answer: nothing is stored by browsers, run by them, or shown inside other pages. */
const SAFETY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** An error of the gateway itself in the shape that AWS clients read. */
export function refusalAnswer(error: FleetrigError, requestId: string): WebRefusal {
  const { awsError, httpStatus } = error.context;
  const body = {
    message: error.sentence,
    code: error.code,
    ...(error.hint !== undefined && { hint: error.hint }),
  };
  return {
    status: typeof httpStatus === "number" ? httpStatus : 400,
    headers: {
      ...SAFETY_HEADERS,
      "Content-Type": "application/json",
      "x-amzn-errortype": typeof awsError === "string" ? awsError : "InvalidRequestException",
      "x-amzn-requestid": requestId,
    },
    body: JSON.stringify(body),
  };
}

/** Sends a whole answer, unless one is on its way already. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  response.writeHead(status, { ...SAFETY_HEADERS, "content-length": bytes.byteLength, ...headers });
  response.end(bytes);
}

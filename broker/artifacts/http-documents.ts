import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { type Clock, US_PER_MS } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { loopbackOnly } from "../hooks/http-hook.js";
import type { DocumentFetcher } from "../jobs/index.js";
import { isLoopbackHost } from "../listeners/web-origin.js";

export interface HttpDocumentsOptions {
  readonly clock: Clock;
  /** Hosts other than this machine that may be asked, by name or address. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** For the whole answer. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Documents from HTTP servers, of this machine unless others are allowed. Redirections are not followed. */
export class HttpDocuments implements DocumentFetcher {
  private readonly allowed: ReadonlySet<string>;

  constructor(private readonly options: HttpDocumentsOptions) {
    this.allowed = new Set(options.allowedHosts);
  }

  fetch(url: URL, maxBytes: number): Promise<string> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isAllowed = this.allowed.has(host);
    if (!isAllowed && isIP(host) !== 0 && !isLoopbackHost(host))
      return Promise.reject(failure(`${host} is not this machine`));
    return new Promise((resolve, reject) => {
      const { clock, timeoutMs = 10_000 } = this.options;
      const fail = (why: string): void => {
        timer.cancel();
        call.destroy();
        reject(failure(why));
      };
      const call = open(url, isAllowed || isIP(host) !== 0);
      const timer = clock.after(timeoutMs * US_PER_MS, () => fail(`no answer came within ${timeoutMs} ms`));
      call.on("error", (error) => fail(error.message));
      call.on("response", (response) =>
        collect(response, { maxBytes, fail }, (text) => {
          timer.cancel();
          resolve(text);
        }),
      );
      call.end();
    });
  }
}

function open(url: URL, goesAnywhere: boolean): ClientRequest {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return request(url, {
    headers: { accept: "application/json" },
    // Names are checked by what they resolve to.
    ...(!goesAnywhere && { lookup: loopbackOnly }),
  });
}

function collect(
  response: IncomingMessage,
  { maxBytes, fail }: { readonly maxBytes: number; readonly fail: (why: string) => void },
  done: (text: string) => void,
): void {
  if (response.statusCode !== 200) return fail(`the answer was ${response.statusCode}`);
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxBytes) fail(`it has more than ${maxBytes} bytes`);
    else pieces.push(piece);
  });
  response.on("end", () => done(Buffer.concat(pieces).toString()));
  response.on("error", (error) => fail(error.message));
}

const failure = (why: string): Error =>
  cloudError("InvalidRequestException", `documentSource cannot be read: ${why}.`);

import { lookup } from "node:dns";
import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isLoopbackHost } from "../listeners/web-origin.js";
import { hostOf } from "./hook-target.js";

/** How a call of an endpoint ended. */
export type HttpHookEnd =
  | { readonly ok: true; readonly body: string }
  | { readonly ok: false; readonly reason: "failed" | "too-large"; readonly detail: string };

export interface HttpHookOptions {
  readonly body: string;
  readonly maxAnswerBytes: number;
  /** May the host's name mean another machine? */
  readonly allowsRemote: boolean;
}

/**
 * POSTs JSON and collects the answer of a 200; redirections are not followed. `ended` is called at most once.
 * @returns how to give up, after which `ended` is not called.
 */
export function postHook(url: URL, options: HttpHookOptions, ended: (end: HttpHookEnd) => void): () => void {
  let isOpen = true;
  const end = (result: HttpHookEnd): void => {
    if (!isOpen) return;
    isOpen = false;
    ended(result);
    call.destroy();
  };
  const call = open(url, options);
  call.on("error", (error) => end({ ok: false, reason: "failed", detail: error.message }));
  call.on("response", (response) => {
    if (response.statusCode !== 200)
      return end({ ok: false, reason: "failed", detail: `It answered ${response.statusCode}.` });
    const pieces: Buffer[] = [];
    let bytes = 0;
    response.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > options.maxAnswerBytes)
        return end({
          ok: false,
          reason: "too-large",
          detail: `It answered more than ${options.maxAnswerBytes} bytes.`,
        });
      pieces.push(piece);
    });
    response.on("end", () => end({ ok: true, body: Buffer.concat(pieces).toString() }));
    response.on("error", (error) => end({ ok: false, reason: "failed", detail: error.message }));
  });
  call.end(options.body);
  return () => {
    isOpen = false;
    call.destroy();
  };
}

function open(url: URL, { body, allowsRemote }: HttpHookOptions): ClientRequest {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return request(url, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    // Names are checked by what they resolve to; addresses were checked when the target was read.
    ...(!allowsRemote && isIP(hostOf(url)) === 0 && { lookup: loopbackOnly }),
  });
}

/** Resolves names that mean this machine, and no others. */
export const loopbackOnly: LookupFunction = (hostname, options, found) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return found(error, []);
    const own = addresses.filter(({ address }) => isLoopbackHost(address));
    const [first] = own;
    if (first === undefined) return found(new TypeError(`${hostname} is not this machine.`), []);
    return options.all === true ? found(null, own) : found(null, first.address, first.family);
  });
};

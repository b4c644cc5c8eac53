import { createRandomSource } from "fleetrig/kernel";
import type { RawRequest } from "./request-mutation.js";
import { RequestSource } from "./request-source.js";
import { RequestStage } from "./request-stage.js";

/** A new cloud after this many requests: states pile up, and a fault is found again sooner. */
const REQUESTS_PER_STAGE = 2_000;

export interface PlayedRequests {
  readonly requests: number;
  readonly worstMs: number;
  /** The first thing that was wrong, with the request that showed it. */
  readonly complaint: string | undefined;
}

/** Sends so many requests of a seed, to one cloud after the other. */
export async function playRequests(seed: number, wanted: number): Promise<PlayedRequests> {
  let requests = 0;
  let worstMs = 0;
  for (let index = 0; requests < wanted; index += 1) {
    const source = new RequestSource(createRandomSource(seed).stream(`requests/${index}`));
    const stage = new RequestStage();
    for (let i = 0; i < REQUESTS_PER_STAGE && requests < wanted; i += 1) {
      const request = source.next();
      const complaint = await stage.play(request);
      requests += 1;
      if (complaint !== undefined)
        return {
          requests,
          worstMs,
          complaint: `seed ${seed}, request ${requests}: ${describe(request)}\n${complaint}`,
        };
    }
    worstMs = Math.max(worstMs, stage.worstMs);
  }
  return { requests, worstMs, complaint: undefined };
}

const describe = ({ method, target, headers, body }: RawRequest): string =>
  `${method} ${JSON.stringify(target)} ${JSON.stringify(headers)} ${JSON.stringify(Buffer.from(body).toString().slice(0, 2_000))}`;

import { createRandomSource, LANE, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { Api, Cloud, type HttpResponse, OPERATIONS } from "fleetrig/broker";
import type { RawRequest } from "./request-mutation.js";

/** Errors that only a bug gives. */
const isFault = ({ status }: HttpResponse): boolean => status === 500;
const SECRET = /PRIVATE KEY/;
const GIVES_SECRETS = /^\/keys-and-certificate|^\/provisioning-templates\/[^/]+\/provisioning-claim/;

/** A cloud that gets one request after the other, and what is wrong with its answers. */
export class RequestStage {
  readonly time = new VirtualTime();
  /** What the cloud reported about its last fault. */
  lastFault = "";
  worstMs = 0;
  private readonly api: Api;

  constructor() {
    const random = createRandomSource(1);
    const events = {
      emit: (event: RunEvent) => {
        if (event.type === "api.fault") this.lastFault = event.detail;
      },
    };
    const cloud = new Cloud({ time: this.time, random, events });
    this.api = new Api({
      cloud,
      operations: OPERATIONS,
      clock: this.time.lane(LANE.services),
      random: random.stream("api"),
      events,
    });
  }

  /** @returns what is wrong with the answer; undefined when it is as it should be. */
  async play({ method, target, headers, body }: RawRequest): Promise<string | undefined> {
    const startedMs = performance.now();
    const request = {
      method,
      target,
      headers: new Map(Object.entries(headers)),
      body,
      remoteAddress: "127.0.0.1",
    };
    const answering = this.api.handle(request, { kind: "operator" });
    this.time.advance(10_000);
    const answer = await answering;
    this.worstMs = Math.max(this.worstMs, performance.now() - startedMs);
    return this.complaint(answer, target);
  }

  private complaint(answer: HttpResponse, target: string): string | undefined {
    if (isFault(answer)) return `a bug: ${this.lastFault}`;
    const text = Buffer.from(answer.body).toString();
    if (SECRET.test(text) && !GIVES_SECRETS.test(target)) return "a private key in the answer";
    if (answer.status < 400) return undefined;
    if (answer.headers["x-amzn-errortype"] === undefined)
      return `status ${answer.status} without an error type`;
    return typeof (JSON.parse(text) as { message?: unknown }).message === "string" ? undefined : "no message";
  }
}

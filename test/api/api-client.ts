import { createRandomSource, LANE, type RunEvent, VirtualTime } from "fleetrig/kernel";
import { Api, type ApiOptions, type Caller, Cloud, type CloudOptions, OPERATIONS } from "fleetrig/broker";

/** Whatever JSON.parse gives. */
export type Json = ReturnType<typeof JSON.parse>;

/** An answer, with its body parsed. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON when it is JSON, else the text; undefined when empty. */
  readonly body: Json;
}

interface RequestExtras {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: Caller;
}

export interface ApiWorld {
  readonly time: VirtualTime;
  readonly cloud: Cloud;
  readonly events: RunEvent[];
  /** `body` is sent as JSON unless it is text or bytes. */
  request(method: string, target: string, extras?: RequestExtras): Promise<Answer>;
  /** Fails unless the answer is a success, and gives its body. */
  ok(method: string, target: string, body?: unknown, extras?: RequestExtras): Promise<Json>;
  /** The error name of a refusal; fails when it is a success. */
  refused(
    method: string,
    target: string,
    body?: unknown,
    extras?: RequestExtras,
  ): Promise<{ name: string; status: number; message: string }>;
}

const OPERATOR: Caller = { kind: "operator" };

/** A cloud in virtual time with its APIs in front, no sockets between. */
export function startApi(options: Partial<CloudOptions> = {}, decide?: ApiOptions["decide"]): ApiWorld {
  const time = new VirtualTime();
  const events: RunEvent[] = [];
  const sink = { emit: (event: RunEvent) => void events.push(event) };
  const random = createRandomSource(1);
  const cloud = new Cloud({ time, random, events: sink, ...options });
  const api = new Api({
    cloud,
    operations: OPERATIONS,
    clock: time.lane(LANE.services),
    random: random.stream("api"),
    events: sink,
    ...(decide !== undefined && { decide }),
  });
  const request = async (method: string, target: string, extras: RequestExtras = {}): Promise<Answer> => {
    const response = await api.handle(
      {
        method,
        target,
        headers: new Map(Object.entries(extras.headers ?? {})),
        body: bytesOf(extras.body),
        remoteAddress: "127.0.0.1",
      },
      extras.caller ?? OPERATOR,
    );
    const text = typeof response.body === "string" ? response.body : Buffer.from(response.body).toString();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  };
  return {
    time,
    cloud,
    events,
    request,
    ok: async (method, target, body, extras) => {
      const answer = await request(method, target, { ...extras, body });
      if (answer.status >= 300)
        throw new Error(`${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    refused: async (method, target, body, extras) => {
      const answer = await request(method, target, { ...extras, body });
      if (answer.status < 300)
        throw new Error(`${method} ${target} succeeded: ${JSON.stringify(answer.body)}`);
      return {
        name: answer.headers["x-amzn-errortype"]!,
        status: answer.status,
        message: answer.body.message,
      };
    },
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

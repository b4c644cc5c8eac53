import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, type EventSink, FleetrigError, type Random } from "fleetrig/kernel";
import type { LinkPeer } from "fleetrig/protocol";
import { type Api, type Caller, type HttpRequest, type HttpResponse } from "../api/index.js";
import { cloudError } from "../cloud-error.js";
import type { DomainPins, Proof } from "../domains/index.js";
import type { UpgradeDecision, WebClient, WebEntrance, WebRefusal } from "../listeners/index.js";
import { hostOf } from "../remote-address.js";
import { uuidV4 } from "../uuid.js";
import type { CallerIdentification } from "./caller-identification.js";
import { BodyReader } from "./request-body.js";
import { refusalAnswer, sendAnswer } from "./web-answer.js";
import { createWebApp, type WebMount } from "./web-app.js";
import type { WebGuard } from "./web-guard.js";

/** Answers requests of some paths before the APIs are asked; undefined: none of its paths. */
type RequestHandler = (
  request: HttpRequest,
  caller: Caller,
) => HttpResponse | Promise<HttpResponse> | undefined;

export interface GatewayOptions {
  readonly clock: Pick<Clock, "nowUs">;
  /** For request ids. */
  readonly random: Random;
  readonly events: EventSink;
  readonly guard: WebGuard;
  /** What the configurations of domains allow. */
  readonly pins?: Pick<DomainPins, "allowsRequest" | "speaksMqtt">;
  readonly callers: CallerIdentification;
  readonly api: Pick<Api, "handle">;
  /** Custom authorizers: who they say it is, or what the client is told; undefined where they are not asked. */
  readonly authorize?: (request: HttpRequest, known: Caller) => Promise<Caller | FleetrigError> | undefined;
  /** Asked in this order. */
  readonly handlers?: readonly RequestHandler[];
  /** Pages and files, which answer in their own way. */
  readonly mounts?: readonly WebMount[];
}

/** What the gateway knows of a listener. */
export interface EntranceOptions {
  /** It can be reached from this machine only. */
  readonly isLoopback: boolean;
  /** Application protocols that mean MQTT; undefined where all clients speak HTTP. */
  readonly mqttProtocols?: ReadonlySet<string>;
  readonly maxConnections?: number;
}

const API_LIMIT_BYTES = 1_048_576;
/** AWS: payloads have 128 KiB; this is somewhat more, so that the API itself can say so. */
const DATA_LIMIT_BYTES = 262_144;
const DATA_PATH = /^\/(?:topics\/|connections\/|things\/[^/]{1,400}\/(?:shadow|jobs))/;
const WEB_SOCKET_PATH = "/mqtt";
/** What callers have shown. */
const PROOFS: Readonly<Record<Caller["kind"], Proof>> = {
  anonymous: "none",
  authorizer: "authorizer",
  certificate: "certificate",
  credentials: "signature",
  operator: "none",
};
const CLIENT_MESSAGES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "The headers are larger than 16 KiB.",
  ERR_HTTP_REQUEST_TIMEOUT: "The request did not arrive completely in time.",
};

/**
 * HTTP in front of the cloud: whatever comes over whichever listener is guarded, received whole, given a caller, and
 * answered by a page, a handler or the APIs. All errors have AWS's shape.
 */
export class Gateway {
  private readonly bodies = new BodyReader();
  private readonly clients = new WeakMap<IncomingMessage, { client: WebClient; entrance: EntranceOptions }>();
  private readonly app: (request: IncomingMessage, response: ServerResponse) => void;
  private open = 0;
  private drained: (() => void) | undefined;
  private isStopping = false;

  constructor(private readonly options: GatewayOptions) {
    this.app = createWebApp({
      guard: (request) => this.refusalOf(request),
      mounts: options.mounts ?? [],
      serve: (request, response) => this.receive(request, response),
      fail: (error, response) => this.fail(error, response),
    });
  }

  /** The gateway's side of one listener. */
  entrance(options: EntranceOptions): WebEntrance {
    const { mqttProtocols, maxConnections } = options;
    return {
      speaksHttp: (alpn, serverName) => {
        if (mqttProtocols === undefined) return true;
        return alpn === undefined
          ? this.options.pins?.speaksMqtt(serverName) !== true
          : !mqttProtocols.has(alpn);
      },
      handle: (request, response, client) => {
        this.clients.set(request, { client, entrance: options });
        this.begin(request, response);
      },
      upgrade: (request, client) => this.upgrade(request, client, options),
      malformed: (code) => this.malformed(code),
      ...(maxConnections !== undefined && { maxConnections }),
    };
  }

  /** Lets requests that are being dealt with come to their end; new ones are refused. */
  drain(): Promise<void> {
    this.isStopping = true;
    if (this.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    this.open += 1;
    response.once("close", () => {
      this.open -= 1;
      if (this.open === 0) this.drained?.();
    });
    if (this.isStopping)
      this.refuse(response, cloudError("ServiceUnavailableException", "The server is stopping."));
    else this.app(request, response);
  }

  private refusalOf(request: IncomingMessage): WebRefusal | undefined {
    const { client, entrance } = this.clients.get(request)!;
    const guarded = guardedRequest(request, client.peer, entrance);
    const error = this.options.guard.refusal(guarded);
    return error === undefined ? undefined : this.refusal(error);
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const { client } = this.clients.get(request)!;
    const target = request.url ?? "/";
    const limitBytes = DATA_PATH.test(target) ? DATA_LIMIT_BYTES : API_LIMIT_BYTES;
    this.bodies.read(request, limitBytes, (reading) => {
      if (reading === "gone") return;
      if ("refusal" in reading) {
        this.refuse(response, reading.refusal);
        return;
      }
      const { body } = reading;
      response.once("close", () => this.bodies.release(body.byteLength));
      void this.answer(toHttpRequest(request, client, body)).then(
        (answer) => sendAnswer(response, answer),
        (error: unknown) => this.fail(error, response),
      );
    });
  }

  private async answer(request: HttpRequest): Promise<HttpResponse> {
    const { callers, authorize, handlers = [], api } = this.options;
    const known = callers.identify(request);
    if (known instanceof FleetrigError) return this.refusal(known);
    const asked = authorize?.(request, known);
    const caller = asked === undefined ? known : await asked;
    if (caller instanceof FleetrigError) return this.refusal(caller);
    if (this.options.pins?.allowsRequest(request.peer, PROOFS[caller.kind]) === false)
      return this.refusal(
        cloudError("ForbiddenException", "The domain does not take this kind of request or proof."),
      );
    for (const handler of handlers) {
      const answer = handler(request, caller);
      if (answer !== undefined) return await answer;
    }
    return api.handle(request, caller);
  }

  private upgrade(request: IncomingMessage, client: WebClient, entrance: EntranceOptions): UpgradeDecision {
    try {
      const { guard, callers } = this.options;
      const guarded = guardedRequest(request, client.peer, entrance);
      const facts = { upgrade: { target: guarded.target, headers: guarded.headers } };
      if (guarded.target.split("?", 1)[0] !== WEB_SOCKET_PATH)
        return this.noUpgrade(
          cloudError("UnknownOperationException", "MQTT over WebSocket has the path /mqtt."),
        );
      const refusal = guard.hostRefusal(guarded);
      if (refusal !== undefined) return this.noUpgrade(refusal);
      const caller = callers.identify(toHttpRequest(request, client, new Uint8Array(0)));
      if (caller instanceof FleetrigError) return this.noUpgrade(caller);
      if (caller.kind === "credentials") {
        const { accessKeyId, arn } = caller;
        return { facts: { ...facts, credentials: { accessKeyId, arn } } };
      }
      // Nobody signed it on purpose: a page may only connect to where it came from.
      const foreign = guard.originRefusal(guarded);
      return foreign === undefined ? { facts } : this.noUpgrade(foreign);
    } catch (error) {
      return { refusal: this.fault(error) };
    }
  }

  private noUpgrade(error: FleetrigError): UpgradeDecision {
    return { refusal: this.refusal(error) };
  }

  private malformed(code: string): WebRefusal {
    const name = code === "ERR_HTTP_REQUEST_TIMEOUT" ? "RequestTimeoutException" : "InvalidRequestException";
    return this.refusal(cloudError(name, CLIENT_MESSAGES[code] ?? `This is no request: ${code}.`));
  }

  private refusal(error: FleetrigError): WebRefusal {
    return refusalAnswer(error, uuidV4(this.options.random));
  }

  /** The connection is closed: what is left of the request will not be read. */
  private refuse(response: ServerResponse, error: FleetrigError): void {
    const { status, headers, body } = this.refusal(error);
    sendAnswer(response, { status, headers: { ...headers, Connection: "close" }, body });
  }

  private fail(error: unknown, response: ServerResponse): void {
    sendAnswer(response, this.fault(error));
  }

  /** Refusals are for the client; anything else is a bug, reported under the id that the client is told. */
  private fault(error: unknown): WebRefusal {
    if (error instanceof FleetrigError && error.context["awsError"] !== undefined) return this.refusal(error);
    const { random, events, clock } = this.options;
    const requestId = uuidV4(random);
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    events.emit({ type: "api.fault", atUs: clock.nowUs(), requestId, detail });
    const told = cloudError("InternalFailureException", `This is a bug in fleetrig (${requestId}).`, {
      hint: "Please report it with the log's lines for this id.",
    });
    return refusalAnswer(told, requestId);
  }
}

const headersOf = ({ headers }: IncomingMessage): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );

const guardedRequest = (request: IncomingMessage, peer: LinkPeer, { isLoopback }: EntranceOptions) => ({
  target: request.url ?? "",
  headers: headersOf(request),
  isSecured: peer.transport === "tls",
  localPort: peer.localPort ?? 0,
  isLoopback,
});

const toHttpRequest = (
  request: IncomingMessage,
  { remoteAddress, peer, connection }: WebClient,
  body: Uint8Array,
): HttpRequest => ({
  method: request.method ?? "GET",
  target: request.url ?? "/",
  headers: headersOf(request),
  body,
  remoteAddress: hostOf(remoteAddress),
  peer,
  connection,
});

import {
  createServer,
  type IncomingMessage,
  type Server,
  STATUS_CODES,
  type RequestListener,
} from "node:http";
import type { Socket } from "node:net";
import { type Arrival, type Door, ignoreErrors, type Stage } from "./arrival.js";
import type { WebClient, WebEntrance, WebRefusal } from "./web-entrance.js";
import { upgradeRefusal, WebSocketEntry } from "./web-socket-entry.js";

const DEFAULT_MAX_CONNECTIONS = 1_024;
/** Signatures with session tokens, and tokens of authorizers, take some kilobytes. */
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 64;
const SECOND_MS = 1_000;

/** A connection that speaks HTTP. The client is the same object for all of its requests. */
interface Visit {
  readonly arrival: Arrival;
  readonly client: WebClient;
}

/**
 * HTTP on a listener. Node's server parses and times requests; connections come from the stages before, and leave
 * for MQTT when a request becomes a WebSocket.
 */
export class WebStage implements Stage {
  private readonly http: Server;
  private readonly entry: WebSocketEntry;
  /** Connections that speak HTTP, by the stream they do it on. */
  private readonly arrivals = new Map<Socket, Visit>();

  constructor(
    private readonly door: Door,
    private readonly entrance: WebEntrance,
    { maxPacketBytes }: { readonly maxPacketBytes: number },
  ) {
    this.entry = new WebSocketEntry(door, maxPacketBytes);
    this.http = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 10 * SECOND_MS,
      requestTimeout: 30 * SECOND_MS,
      keepAliveTimeout: 60 * SECOND_MS,
      connectionsCheckingInterval: 5 * SECOND_MS,
      insecureHTTPParser: false,
      // The guard wants one, and says so in its own way.
      requireHostHeader: false,
      joinDuplicateHeaders: true,
    });
    this.http.maxHeadersCount = MAX_HEADERS;
    const receive: RequestListener = (request, response) => {
      const visit = this.arrivals.get(request.socket);
      if (visit === undefined) response.destroy();
      else this.entrance.handle(request, response, visit.client);
    };
    this.http.on("request", receive);
    // Expectations that nobody knows: Node would refuse them in its own words.
    this.http.on("checkExpectation", receive);
    this.http.on("upgrade", (request, stream, head) => this.upgrade(request, stream as Socket, head));
    this.http.on("clientError", (error: NodeJS.ErrnoException, stream) =>
      this.malformed(stream as Socket, error.code ?? ""),
    );
    // It never listens itself, and would not look at its timeouts otherwise.
    this.http.emit("listening");
  }

  enter(arrival: Arrival): void {
    const { stream } = arrival;
    ignoreErrors(stream);
    const { maxConnections = DEFAULT_MAX_CONNECTIONS } = this.entrance;
    if (this.arrivals.size >= maxConnections) {
      this.door.reject(arrival, "max-connections", `${this.arrivals.size} HTTP connections are open`);
      return;
    }
    this.door.spare(arrival);
    const client = {
      remoteAddress: arrival.remoteAddress,
      peer: this.door.peerOf(arrival),
      connection: arrival,
    };
    this.arrivals.set(stream, { arrival, client });
    stream.once("close", () => this.arrivals.delete(stream));
    this.http.emit("connection", stream);
  }

  stop(): void {
    this.http.close();
    this.arrivals.clear();
    this.entry.stop();
  }

  private upgrade(request: IncomingMessage, stream: Socket, head: Buffer): void {
    const visit = this.arrivals.get(stream);
    if (visit === undefined) {
      stream.destroy();
      return;
    }
    const { arrival, client } = visit;
    const problem = upgradeRefusal(request);
    const decision =
      problem === undefined
        ? this.entrance.upgrade(request, client)
        : { refusal: this.entrance.malformed(problem) };
    if ("refusal" in decision) {
      this.door.note(arrival, "upgrade", problem ?? `answered ${decision.refusal.status}`);
      stream.end(writeRefusal(decision.refusal));
      return;
    }
    this.arrivals.delete(stream);
    const transport = client.peer.transport === "tls" ? "wss" : "ws";
    this.entry.admit(
      { ...arrival, facts: { ...arrival.facts, ...decision.facts, transport } },
      request,
      head,
    );
  }

  private malformed(stream: Socket, code: string): void {
    const visit = this.arrivals.get(stream);
    if (visit !== undefined) this.door.note(visit.arrival, "upgrade", code);
    if (stream.writable && code !== "ECONNRESET") stream.end(writeRefusal(this.entrance.malformed(code)));
    else stream.destroy();
  }
}

function writeRefusal({ status, headers, body }: WebRefusal): string {
  const fields = { ...headers, Connection: "close", "Content-Length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines, "", body].join("\r\n");
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "fleetrig/kernel";
import { type Arrival, type Door, excerpt, ignoreErrors, type Stage } from "./arrival.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { WebSocketOptions } from "./listener-options.js";
import { WEB_SOCKET_PATH } from "./listener-url.js";
import type { RejectionReason } from "./rejection.js";
import { audienceRefusal, type WebAudience } from "./web-origin.js";
import { upgradeRefusal, WebSocketEntry } from "./web-socket-entry.js";

const DEFAULT_DEADLINE_S = 10;
const MAX_HEADER_BYTES = 8_192;

export interface WebSocketStageOptions {
  readonly clock: Clock;
  readonly maxPacketBytes: number;
  readonly path: string | undefined;
  readonly webSocket: WebSocketOptions;
  readonly isLoopback: boolean;
}

/** The HTTP upgrade (MQTT 5 §6). HTTP is there for that alone: any other request is answered 426 and closed. */
export class WebSocketStage implements Stage {
  private readonly http: Server;
  private readonly entry: WebSocketEntry;
  private readonly upgrading = new Map<Socket, Arrival>();
  private readonly deadlines: DeadlineQueue<Socket>;
  private readonly audience: WebAudience;
  private readonly path: string;

  constructor(
    private readonly door: Door,
    options: WebSocketStageOptions,
  ) {
    const { clock, maxPacketBytes, path, webSocket, isLoopback } = options;
    this.path = path ?? WEB_SOCKET_PATH;
    const origins = webSocket.origins?.map((origin) => origin.toLowerCase());
    this.audience = { hosts: webSocket.hosts, origins, isLoopback };
    const deadlineS = webSocket.upgradeDeadlineS ?? DEFAULT_DEADLINE_S;
    this.deadlines = new DeadlineQueue(clock, deadlineS, (stream) =>
      this.refuse(stream, "deadline", "no upgrade came in time"),
    );
    // Never listens: it is handed sockets that have passed the stages before. Deadlines are ours.
    this.http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAlive: false });
    this.http.on("upgrade", (request, stream, head) => this.upgrade(request, stream as Socket, head));
    this.http.on("request", (request, response) => {
      response.writeHead(426, { Connection: "close", Upgrade: "websocket" }).end();
      this.answered(request.socket, "a plain HTTP request");
    });
    this.http.on("clientError", (error: Error, stream) =>
      this.refuse(stream as Socket, "upgrade", error.message),
    );
    this.entry = new WebSocketEntry(door, maxPacketBytes);
  }

  enter(arrival: Arrival): void {
    const { stream } = arrival;
    ignoreErrors(stream);
    this.upgrading.set(stream, arrival);
    this.deadlines.add(stream);
    stream.once("close", () => this.forget(stream));
    this.http.emit("connection", stream);
  }

  stop(): void {
    this.deadlines.stop();
    this.upgrading.clear();
    this.entry.stop();
  }

  private upgrade(request: IncomingMessage, stream: Socket, head: Buffer): void {
    const arrival = this.upgrading.get(stream);
    const refusal = this.refusalOf(request);
    if (arrival === undefined || refusal !== undefined) {
      const [status, detail] = refusal ?? ["400 Bad Request", "unknown socket"];
      stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      this.answered(stream, detail);
      return;
    }
    this.forget(stream);
    this.entry.admit(arrival, request, head);
  }

  private answered(stream: Socket, detail: string): void {
    const arrival = this.upgrading.get(stream);
    this.forget(stream);
    if (arrival !== undefined) this.door.note(arrival, "upgrade", detail);
  }

  private refuse(stream: Socket, reason: RejectionReason, detail: string): void {
    const arrival = this.upgrading.get(stream);
    this.forget(stream);
    if (arrival === undefined) stream.destroy();
    else this.door.reject(arrival, reason, detail);
  }

  private forget(stream: Socket): void {
    this.upgrading.delete(stream);
    this.deadlines.delete(stream);
  }

  /** Status line and reason. */
  private refusalOf(request: IncomingMessage): readonly [string, string] | undefined {
    const { url = "", headers } = request;
    if (url.split("?", 1)[0] !== this.path) return ["404 Not Found", `path ${excerpt(url)}`];
    const refusal = audienceRefusal(this.audience, { host: headers.host, origin: headers.origin });
    if (refusal !== undefined) return ["403 Forbidden", refusal];
    const problem = upgradeRefusal(request);
    return problem === undefined ? undefined : ["400 Bad Request", problem];
  }
}

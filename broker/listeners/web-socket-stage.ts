import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "fleetrig/kernel";
import type { SocketLink } from "fleetrig/protocol";
import { WebSocketServer } from "ws";
import { type Arrival, type Door, excerpt, ignoreErrors, type Stage } from "./arrival.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { WebSocketOptions } from "./listener-options.js";
import type { RejectionReason } from "./rejection.js";
import { WEB_SOCKET_PATH } from "./listener-url.js";
import { audienceRefusal, type WebAudience } from "./web-origin.js";
import { WebSocketStream } from "./web-socket-stream.js";

/** [MQTT-6.0.0-3] `mqtt`; clients of MQTT 3.1 say `mqttv3.1`. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
const DEFAULT_DEADLINE_S = 10;
const MAX_HEADER_BYTES = 8_192;
/** A CONNECT of the largest size and the frames around it. */
const FIRST_BYTES_MAX = 66_560;
/** Room for small packets that share a frame with one of full size. */
const SHARED_FRAME_BYTES = 65_536;
/** Fragments and chunks of one message: a frame per byte would cost a hundred times its size in memory. */
const MAX_FRAGMENTS = 1_024;

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
  private readonly sockets: WebSocketServer;
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
    this.sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxPacketBytes + SHARED_FRAME_BYTES,
      maxFragments: MAX_FRAGMENTS,
      skipUTF8Validation: true,
      autoPong: false,
      handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    });
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
    this.sockets.close();
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
    this.sockets.handleUpgrade(request, stream, head, (webSocket) => {
      const unfit = (detail: string): void => this.door.note(arrival, "frame", detail);
      const link = this.door.admit(arrival, new WebSocketStream(webSocket, stream, unfit));
      if (link !== undefined) this.guardFirstBytes(arrival, link);
    });
  }

  /** A frame is collected before anybody can look into it: nobody may send a large one before CONNECT. */
  private guardFirstBytes(arrival: Arrival, link: SocketLink): void {
    const { stream } = arrival;
    const fromBytes = stream.bytesRead;
    const guard = (): void => {
      if (!link.isOpened && stream.bytesRead - fromBytes <= FIRST_BYTES_MAX) return;
      stream.off("data", guard);
      if (!link.isOpened) this.door.reject(arrival, "frame", "too much came before CONNECT");
    };
    stream.on("data", guard);
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
  private refusalOf({ url = "", headers, method }: IncomingMessage): [string, string] | undefined {
    if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket")
      return ["400 Bad Request", "no WebSocket upgrade"];
    if (url.split("?", 1)[0] !== this.path) return ["404 Not Found", `path ${excerpt(url)}`];
    const refusal = audienceRefusal(this.audience, { host: headers.host, origin: headers.origin });
    if (refusal !== undefined) return ["403 Forbidden", refusal];
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    if (!offered.some((name) => SUBPROTOCOLS.includes(name)))
      return ["400 Bad Request", "no subprotocol mqtt was offered"];
    return undefined;
  }
}

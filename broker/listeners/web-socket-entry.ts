import type { IncomingMessage } from "node:http";
import type { SocketLink } from "fleetrig/protocol";
import { WebSocketServer } from "ws";
import type { Arrival, Door } from "./arrival.js";
import { WebSocketStream } from "./web-socket-stream.js";

/** [MQTT-6.0.0-3] `mqtt`; clients of MQTT 3.1 say `mqttv3.1`. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
/** A CONNECT of the largest size and the frames around it. */
const FIRST_BYTES_MAX = 66_560;
/** Room for small packets that share a frame with one of full size. */
const SHARED_FRAME_BYTES = 65_536;
/** Fragments and chunks of one message: a frame per byte would cost a hundred times its size in memory. */
const MAX_FRAGMENTS = 1_024;

/** Why a request cannot become MQTT over WebSocket, whoever sends it; undefined when it can. */
export function upgradeRefusal({ method, headers }: IncomingMessage): string | undefined {
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket") return "no WebSocket upgrade";
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  return offered.some((name) => SUBPROTOCOLS.includes(name)) ? undefined : "no subprotocol mqtt was offered";
}

/** Where an HTTP connection turns into a WebSocket, and the WebSocket into a link. */
export class WebSocketEntry {
  private readonly sockets: WebSocketServer;

  constructor(
    private readonly door: Door,
    maxPacketBytes: number,
  ) {
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

  /** @param head What came after the request. */
  admit(arrival: Arrival, request: IncomingMessage, head: Buffer): void {
    const { stream } = arrival;
    this.sockets.handleUpgrade(request, stream, head, (webSocket) => {
      const unfit = (detail: string): void => this.door.note(arrival, "frame", detail);
      const link = this.door.admit(arrival, new WebSocketStream(webSocket, stream, unfit));
      if (link !== undefined) this.guardFirstBytes(arrival, link);
    });
  }

  stop(): void {
    this.sockets.close();
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
}

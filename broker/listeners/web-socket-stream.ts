import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { ByteStream } from "fleetrig/protocol";
import type { RawData, WebSocket } from "ws";

/** Close codes of RFC 6455 §7.4.1. */
const CLOSE_CODE = { normal: 1000, unsupportedData: 1003 } as const;

/**
 * A WebSocket as a stream of bytes. Frames mean nothing here: packets may span several or share one
 * [MQTT-6.0.0-2]. What is written in one turn leaves as one frame.
 */
export class WebSocketStream extends EventEmitter implements ByteStream {
  /** Bytes of the socket below when the last frame was complete. */
  private completeAtBytes: number;

  /** @param unfit Told of frames that MQTT does not travel in. */
  constructor(
    private readonly webSocket: WebSocket,
    private readonly below: Socket,
    private readonly unfit: (detail: string) => void,
  ) {
    super();
    this.completeAtBytes = below.bytesRead;
    webSocket.on("message", (data, isBinary) => this.take(data, isBinary));
    webSocket.on("ping", (data) => this.answerPing(data));
    webSocket.on("pong", () => this.frameEnded());
    webSocket.on("error", (error) => this.unfit(error.message));
    webSocket.on("close", (code) => this.closed(code));
    below.on("drain", () => this.emit("drain"));
  }

  get writableLength(): number {
    return this.webSocket.bufferedAmount;
  }

  get isMidFrame(): boolean {
    return this.below.bytesRead > this.completeAtBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.webSocket.readyState === this.webSocket.OPEN) this.webSocket.send(bytes, { binary: true });
  }

  end(): void {
    this.webSocket.close(CLOSE_CODE.normal);
  }

  destroy(): void {
    this.webSocket.terminate();
  }

  pause(): void {
    this.webSocket.pause();
  }

  resume(): void {
    this.webSocket.resume();
  }

  private take(data: RawData, isBinary: boolean): void {
    this.frameEnded();
    if (isBinary) {
      this.emit("data", data);
      return;
    }
    // [MQTT-6.0.0-1] MQTT travels in binary frames only.
    this.unfit("a text frame");
    this.webSocket.close(CLOSE_CODE.unsupportedData);
  }

  /** A client that pings without reading the answers gets none. */
  private answerPing(data: Buffer): void {
    this.frameEnded();
    if (this.webSocket.bufferedAmount === 0 && this.webSocket.readyState === this.webSocket.OPEN)
      this.webSocket.pong(data);
  }

  private frameEnded(): void {
    this.completeAtBytes = this.below.bytesRead;
  }

  /** A close frame is to a WebSocket what FIN is to TCP; without one (1006) the connection was lost. */
  private closed(code: number): void {
    if (code !== 1006) this.emit("end");
    this.emit("close");
  }
}

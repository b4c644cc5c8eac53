import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A TCP client that speaks bytes: what it received, and the moment it has seen enough. */
export class RawPeer {
  private received = Buffer.alloc(0);
  private readonly socket: Socket;
  private readonly ended: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      socket.once("end", resolve);
      socket.once("close", () => resolve());
    });
  }

  /** @param where A port of this host, or the path of a Unix socket. */
  static async dial(where: number | string): Promise<RawPeer> {
    const target = typeof where === "string" ? { path: where } : { port: where, host: "127.0.0.1" };
    const socket = connect({ ...target, noDelay: true, allowHalfOpen: true });
    await once(socket, "connect");
    return new RawPeer(socket);
  }

  write(hex: string): void {
    this.socket.write(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Everything received so far, in hex, once `bytes` are there. */
  async hex(bytes: number): Promise<string> {
    while (this.received.length < bytes && !this.socket.destroyed) await once(this.socket, "data");
    return this.received.toString("hex");
  }

  /** Everything received, in hex, once the other side has ended or reset. */
  async untilEnd(): Promise<string> {
    await this.ended;
    this.socket.destroy();
    return this.received.toString("hex");
  }
}

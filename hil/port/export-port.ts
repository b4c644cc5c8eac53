import { timingSafeEqual } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Clock, FleetrigError, US_PER_S } from "fleetrig/kernel";
import { ExportSession } from "./export-session.js";
import type { PortAddress, PortOpener } from "./port.js";

export interface PortExportOptions {
  readonly opener: PortOpener;
  readonly address: PortAddress;
  readonly clock: Clock;
  /** `tcp`: bytes only. `rfc2217`: with modem lines and rates. */
  readonly protocol: "tcp" | "rfc2217";
  readonly baud: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Clients send it first, as a line; 16 to 256 characters without spaces. It is not encrypted: use it within a network that you trust. */
  readonly token?: string;
  /** Lets everybody who reaches a host beyond this machine use the board. */
  readonly allowInsecure?: boolean;
  /** What happened, one sentence each. */
  readonly note?: (sentence: string) => void;
}

/** A port that others use over the network. */
export interface PortExport {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const TOKEN = /^[\x21-\x7e]{16,256}$/;
const TOKEN_US = 3 * US_PER_S;
const MAX_WAITING = 8;

/**
 * Lets one client at a time use a local port. It is opened when a client comes and closed when the client leaves, so a
 * board that was unplugged is found again by connecting again.
 * @throws FleetrigError PORT_EXPORT_INSECURE, PORT_EXPORT_TOKEN, PORT_EXPORT_UNAVAILABLE
 */
export async function exportPort(options: PortExportOptions): Promise<PortExport> {
  const { host = "127.0.0.1", port = 0, token } = options;
  if (token !== undefined && !TOKEN.test(token)) {
    throw new FleetrigError(
      "PORT_EXPORT_TOKEN",
      "The token of an exported port is too short or has spaces.",
      {
        hint: "Take 16 to 256 visible characters, for example those of `openssl rand -hex 16`.",
        exitCode: 2,
      },
    );
  }
  if (!LOOPBACK.has(host) && token === undefined && options.allowInsecure !== true) {
    throw new FleetrigError("PORT_EXPORT_INSECURE", `Everybody who reaches ${host} could use the board.`, {
      hint: "Give a token, listen on 127.0.0.1, or allow it explicitly.",
      exitCode: 2,
    });
  }
  const exporter = new Exporter(options);
  return exporter.listen(host, port);
}

class Exporter {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private session: ExportSession | undefined;

  constructor(private readonly options: PortExportOptions) {
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
    this.server.maxConnections = MAX_WAITING;
  }

  listen(host: string, port: number): Promise<PortExport> {
    return new Promise((resolve, reject) => {
      this.server.once("error", (error) =>
        reject(
          new FleetrigError("PORT_EXPORT_UNAVAILABLE", `Cannot listen on ${host}:${port}.`, {
            hint: `The system says: ${error.message}. Port 0 takes any free one.`,
          }),
        ),
      );
      this.server.listen(port, host, () => {
        const address = this.server.address() as AddressInfo;
        resolve({ host: address.address, port: address.port, close: () => this.close() });
      });
    });
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.sockets.delete(socket));
    const { token } = this.options;
    if (token === undefined) this.serve(socket);
    else this.awaitToken(socket, token);
  }

  private awaitToken(socket: Socket, token: string): void {
    const wanted = Buffer.from(`${token}\n`);
    const patience = this.options.clock.after(TOKEN_US, () => socket.destroy());
    let got: Buffer = Buffer.alloc(0);
    socket.on("close", () => patience.cancel());
    const hear = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      if (got.length < wanted.length) return;
      patience.cancel();
      socket.off("data", hear);
      if (timingSafeEqual(got.subarray(0, wanted.length), wanted))
        this.serve(socket, got.subarray(wanted.length));
      else {
        this.options.note?.(`A client at ${socket.remoteAddress ?? "?"} had the wrong token.`);
        socket.destroy();
      }
    };
    socket.on("data", hear);
  }

  private serve(socket: Socket, first: Buffer = Buffer.alloc(0)): void {
    if (this.session !== undefined) {
      this.options.note?.(`A client at ${socket.remoteAddress ?? "?"} came while another one has the port.`);
      socket.destroy();
      return;
    }
    this.session = new ExportSession(socket, this.options);
    void this.attend(this.session, first);
  }

  private async attend(session: ExportSession, first: Buffer): Promise<void> {
    await session.run(first);
    this.session = undefined;
  }

  private async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await this.session?.finished;
    await closed;
  }
}

import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { atHostTurnEnd, EXIT, FleetrigError } from "fleetrig/kernel";
import { type LinkHost, type LinkPeer, SocketLink, WriteBatch } from "fleetrig/protocol";
import type { OpenHandshake } from "../evidence-book.js";
import type { ShownCertificate } from "../qualification-case.js";
import { readClientHello } from "./client-hello.js";
import { RecordTap } from "./record-tap.js";
import type { TestCertificates } from "./test-certificates.js";
import type { TestEndpoint } from "./test-endpoint.js";

export interface EndpointDoorOptions {
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  readonly endpoint: TestEndpoint;
  readonly nowUs: () => number;
  /** Undefined: plain TCP. */
  readonly certificates?: TestCertificates;
}

/** AWS: the largest packet is a payload of 128 KB with its header. */
const PACKET_BYTES_MAX = 262_144;
const LINGER_MS = 2_000;
const HELLO_BYTES_MAX = 20_000;
/** What the record layer adds: content type and tag in TLS 1.3, nonce and tag in 1.2. */
const RECORD_OVERHEAD = { "TLSv1.3": 17, other: 24 } as const;
const PLAINTEXT_MAX = 16_384;
/** AWS's own, and the registered one. */
const ALPN = ["x-amzn-mqtt-ca", "mqtt"];

/** The sockets in front of a test endpoint: TCP, or TLS with the certificate that the case wants, read along from outside. */
export class EndpointDoor {
  private certificate: ShownCertificate = "good";
  private readonly sockets = new Set<Socket>();
  private readonly batch = new WriteBatch(atHostTurnEnd);
  private readonly host: LinkHost = {
    role: "server",
    batch: this.batch,
    maxPacketBytes: PACKET_BYTES_MAX,
    linger: (stream) => {
      const socket = stream as unknown as Socket;
      setLinger(socket);
    },
  };

  private constructor(
    private readonly options: EndpointDoorOptions,
    private readonly server: Server,
  ) {
    server.on("connection", (socket) => this.take(socket));
  }

  /** @throws FleetrigError QUALIFY_NO_DOOR (rejection, exit 3) */
  static async open(options: EndpointDoorOptions): Promise<EndpointDoor> {
    const server = createTcpServer({ noDelay: true });
    const door = new EndpointDoor(options, server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(unavailable(options, error)));
      server.listen({ host: options.host, port: options.port }, resolve);
    });
    return door;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The certificate for connections from now on. */
  show(certificate: ShownCertificate): void {
    this.certificate = certificate;
    // Those who are still in their handshake have seen another one.
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => undefined);
    const { certificates } = this.options;
    if (certificates === undefined) this.link(socket, { stream: socket, peer: { transport: "tcp" } });
    else this.encrypt(socket, certificates);
  }

  private encrypt(socket: Socket, certificates: TestCertificates): void {
    const { endpoint, nowUs } = this.options;
    const { cert, key, bytes } = certificates.of(this.certificate);
    const note = endpoint.book.handshake(bytes);
    const tap = new RecordTap(socket, {
      ...observing(note),
      closed: () => {
        note.closedUs = nowUs();
        if (note.outcome !== "open") return;
        note.outcome = "closed";
        note.endedUs = note.closedUs;
      },
    });
    tap.on("error", () => undefined);
    const tls = createTlsServer({
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ALPN,
      minVersion: "TLSv1.2",
    });
    tls.on("secureConnection", (secure) => {
      note.outcome = "completed";
      note.endedUs = nowUs();
      note.protocol = secure.getProtocol() ?? "unknown";
      note.cipher = secure.getCipher().name;
      this.link(socket, { stream: secure, peer: peerOf(secure), openedUs: note.atUs });
    });
    tls.on("tlsClientError", (error: NodeJS.ErrnoException) => {
      note.endedUs = nowUs();
      const isEnd = error.code === "ECONNRESET";
      note.outcome = isEnd ? "closed" : "refused";
      if (!isEnd) note.reason = reasonOf(error);
      socket.destroy();
    });
    tls.emit("connection", tap);
  }

  private link(socket: Socket, { stream, peer, openedUs }: Accepted): void {
    const remoteAddress = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    const link = new SocketLink(this.host, { stream, remoteAddress, peer });
    link.attach(this.options.endpoint.accept(link, openedUs));
  }
}

/** A connection that MQTT can begin on. */
interface Accepted {
  readonly stream: Socket | TLSSocket;
  readonly peer: LinkPeer;
  /** When TCP was there, where that was before. */
  readonly openedUs?: number;
}

/** Takes down the ClientHello, and how long records are. */
function observing(note: OpenHandshake) {
  let begin: Buffer | undefined = Buffer.alloc(0);
  return {
    incoming: (bytes: Uint8Array): void => {
      if (begin === undefined) return;
      begin = Buffer.concat([begin, bytes]);
      const reading = readClientHello(begin);
      if (reading.kind === "more" && begin.length < HELLO_BYTES_MAX) return;
      begin = undefined;
      if (reading.kind === "hello") note.hello = reading.hello;
      else note.hello = reading.kind === "unreadable" ? reading.reason : "the ClientHello is too long";
    },
    applicationRecord: (bytes: number): void => {
      const overhead = note.protocol === "TLSv1.3" ? RECORD_OVERHEAD["TLSv1.3"] : RECORD_OVERHEAD.other;
      const plain = Math.min(PLAINTEXT_MAX, bytes - overhead);
      note.largestRecordBytes = Math.max(note.largestRecordBytes, plain);
    },
  };
}

const setLinger = (socket: Socket): void => void socket.setTimeout(LINGER_MS, () => socket.destroy());

function peerOf(socket: TLSSocket): LinkPeer {
  const { alpnProtocol } = socket;
  return {
    transport: "tls",
    isVerified: socket.authorized,
    ...(typeof alpnProtocol === "string" && { alpn: alpnProtocol }),
  };
}

/** OpenSSL's words without its numbers. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const alert = /alert ([a-z ]+?)(?::|$)/.exec(message)?.[1];
  return alert === undefined ? (code ?? message).slice(0, 120) : `alert ${alert}`;
}

const unavailable = ({ host, port }: EndpointDoorOptions, error: NodeJS.ErrnoException): FleetrigError =>
  new FleetrigError("QUALIFY_NO_DOOR", `The endpoint cannot listen on ${host}:${port}.`, {
    hint: `The system says ${error.code ?? error.message}; port 0 takes any free port.`,
    context: { host, port },
    exitCode: EXIT.environment,
  });

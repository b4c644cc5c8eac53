import type { Socket } from "node:net";
import {
  createServer,
  type SecureContext,
  type Server,
  type TlsOptions as NodeTlsOptions,
  type TLSSocket,
} from "node:tls";
import { atHostTurnEnd, type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import { type Arrival, type Door, ignoreErrors, type Stage } from "./arrival.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { TlsOptions } from "./listener-options.js";
import { securedFacts } from "./peer-certificate.js";
import {
  contextFor,
  credentialFiles,
  type Credentials,
  fileStamp,
  loadCredentials,
} from "./tls-credentials.js";

/** `x-amzn-mqtt-ca` is what AWS IoT clients offer on port 443 (REF §2.1). */
const MQTT_PROTOCOLS = ["mqtt", "x-amzn-mqtt-ca"];
const DEFAULT_DEADLINE_S = 10;
const DEFAULT_MAX_HANDSHAKES = 1_000;
/** Handshakes begun in one turn of the event loop: each costs milliseconds that live connections wait for. */
const STARTS_PER_TURN = 16;

/** What became of changed certificates. */
export interface CertificateNotice {
  readonly outcome: "reloaded" | "kept";
  /** Why the old ones stay. */
  readonly error?: unknown;
}

export interface TlsStageOptions {
  readonly clock: Clock;
  readonly tls: TlsOptions;
  /** Offered unless {@link TlsOptions.alpn} says otherwise. */
  readonly alpn?: readonly string[];
  /** Told when certificates were changed behind our back. */
  certificates(notice: CertificateNotice): void;
}

/** The TLS handshake. All cryptography is Node's; here is when a handshake begins and how long it may take. */
export class TlsStage implements Stage {
  private readonly server: Server;
  /** Arrivals in the middle of their handshake, by {@link keyOf}. */
  private readonly handshakes = new Map<string, Arrival>();
  private waiting: Arrival[] = [];
  private readonly deadlines: DeadlineQueue<Arrival>;
  private readonly maxHandshakes: number;
  private isPumping = false;
  private stamp = "";
  private watching: Timer | undefined;
  private isStopped = false;

  private constructor(
    private readonly door: Door,
    private readonly next: Stage,
    private readonly options: TlsStageOptions,
    private credentials: Credentials,
  ) {
    const { clock, tls } = options;
    const deadlineS = tls.handshakeDeadlineS ?? DEFAULT_DEADLINE_S;
    this.deadlines = new DeadlineQueue(clock, deadlineS, (arrival) => this.late(arrival));
    this.maxHandshakes = tls.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES;
    this.server = createServer(this.serverOptions());
    this.server.on("secureConnection", (secured: TLSSocket) => this.secured(secured));
    this.server.on("tlsClientError", (error: NodeJS.ErrnoException, secured: TLSSocket) =>
      this.failed(secured, error),
    );
  }

  /** @throws FleetrigError `LISTENER_CERTIFICATE_INVALID`. */
  static async create(door: Door, next: Stage, options: TlsStageOptions): Promise<TlsStage> {
    const stage = new TlsStage(door, next, options, await loadCredentials(options.tls));
    await stage.watch();
    return stage;
  }

  enter(arrival: Arrival): void {
    ignoreErrors(arrival.socket);
    this.deadlines.add(arrival);
    this.waiting.push(arrival);
    this.pump();
  }

  /**
   * Reads the certificates again. Live connections stay as they are; what cannot be used changes nothing.
   * @throws FleetrigError `LISTENER_CERTIFICATE_INVALID`.
   */
  async reload(): Promise<void> {
    const credentials = await loadCredentials(this.options.tls);
    const keepsTickets = credentials.authorities === this.credentials.authorities;
    const ticketKeys = this.server.getTicketKeys();
    this.credentials = credentials;
    this.server.setSecureContext(credentials.options);
    // A new context has new ticket keys: nobody whom the old authorities let in resumes past the new ones.
    if (keepsTickets) this.server.setTicketKeys(ticketKeys);
  }

  stop(): void {
    this.isStopped = true;
    this.watching?.cancel();
    this.deadlines.stop();
    this.waiting = [];
    this.handshakes.clear();
    this.server.removeAllListeners();
    this.next.stop();
  }

  private serverOptions(): NodeTlsOptions {
    const { tls, alpn } = this.options;
    const { clientCertificates = "none", alpnFor } = tls;
    const protocols = tls.alpn ?? alpn ?? MQTT_PROTOCOLS;
    return {
      ...this.credentials.options,
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "require",
      SNICallback: (serverName, chosen) => chosen(null, this.contextFor(serverName)),
      ...(alpnFor === undefined
        ? { ALPNProtocols: [...protocols] }
        : {
            ALPNCallback: ({ servername, protocols: offered }: { servername: string; protocols: string[] }) =>
              alpnFor({ serverName: servername ?? "", protocols: offered }),
          }),
    };
  }

  private contextFor(serverName: string): SecureContext | undefined {
    return this.options.tls.secureContextFor?.(serverName) ?? contextFor(this.credentials, serverName);
  }

  private pump(): void {
    if (this.isPumping || this.waiting.length === 0) return;
    this.isPumping = true;
    atHostTurnEnd(() => {
      this.isPumping = false;
      const room = Math.min(STARTS_PER_TURN, this.maxHandshakes - this.handshakes.size);
      for (const arrival of this.waiting.splice(0, Math.max(0, room))) this.begin(arrival);
      if (this.handshakes.size < this.maxHandshakes) this.pump();
    });
  }

  private begin(arrival: Arrival): void {
    const { socket } = arrival;
    if (socket.destroyed || this.isStopped) return;
    const key = keyOf(socket);
    this.handshakes.set(key, arrival);
    socket.once("close", () => {
      if (this.handshakes.get(key) === arrival)
        this.reject(arrival, key, "the client left, or showed no acceptable certificate");
    });
    this.server.emit("connection", socket);
  }

  private secured(secured: TLSSocket): void {
    const key = keyOf(secured);
    const arrival = this.handshakes.get(key);
    if (arrival === undefined) {
      secured.destroy();
      return;
    }
    this.forget(arrival, key);
    ignoreErrors(secured);
    const facts = securedFacts(secured);
    // Resumed sessions of TLS 1.2 do not tell the name; they had to give it at first.
    if (
      this.options.tls.requireServerName === true &&
      facts.serverName === undefined &&
      facts.isResumed !== true
    )
      this.door.reject(arrival, "handshake", "the client names no server (SNI)");
    else this.next.enter({ ...arrival, stream: secured, facts: { ...arrival.facts, ...facts } });
  }

  private failed(secured: TLSSocket, error: NodeJS.ErrnoException): void {
    const key = keyOf(secured);
    const arrival = this.handshakes.get(key);
    if (arrival !== undefined) this.reject(arrival, key, error.code ?? error.message);
  }

  private late(arrival: Arrival): void {
    this.waiting = this.waiting.filter((one) => one !== arrival);
    this.forget(arrival, keyOf(arrival.socket));
    if (!arrival.socket.destroyed) this.door.reject(arrival, "deadline", "the TLS handshake took too long");
  }

  private reject(arrival: Arrival, key: string, detail: string): void {
    this.forget(arrival, key);
    this.door.reject(arrival, "handshake", detail);
  }

  private forget(arrival: Arrival, key: string): void {
    this.handshakes.delete(key);
    this.deadlines.delete(arrival);
    this.pump();
  }

  private async watch(): Promise<void> {
    const { watchS = 0 } = this.options.tls;
    const files = credentialFiles(this.options.tls);
    if (watchS === 0 || files.length === 0) return;
    this.stamp = await fileStamp(files);
    this.lookLater(files, watchS);
  }

  private lookLater(files: readonly string[], watchS: number): void {
    if (this.isStopped) return;
    this.watching = this.options.clock.after(watchS * US_PER_S, () => {
      void this.look(files).then(() => this.lookLater(files, watchS));
    });
  }

  /** A file that is being replaced may be gone or torn for a moment: what fails is tried again at the next look. */
  private async look(files: readonly string[]): Promise<void> {
    try {
      const stamp = await fileStamp(files);
      if (stamp === this.stamp || this.isStopped) return;
      await this.reload();
      this.stamp = stamp;
      this.options.certificates({ outcome: "reloaded" });
    } catch (error) {
      this.options.certificates({ outcome: "kept", error });
    }
  }
}

/** Names a connection by its two ends: the TLS server does not say which socket it has secured. */
const keyOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress}|${remotePort}|${localAddress}`;

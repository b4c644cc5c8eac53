import { type Clock, isJsonObject, type JsonValue, type Timer } from "fleetrig/kernel";
import type { ConnectPacket, Dialer, DialFailure, Packet, ProtocolVersion } from "fleetrig/protocol";
import type { DisconnectMode, LoginPlan } from "fleetrig/sim";
import { type ConnectionOwner, TunnelledConnection } from "./tunnelled-connection.js";

/**
 * The tunnel of a bridged board: it dials when the board wants to, carries MQTT both ways, and does what a scenario orders to
 * happen to the connection. The board's bytes are the work of a stranger: everything is bounded, and what is no MQTT of
 * this member ends the connection, never the run.
 */
export interface TunnelOptions {
  readonly clock: Clock;
  /** Name of the member; no other client identifier gets through. */
  readonly thing: string;
  readonly version: ProtocolVersion;
  /** The way that a virtual device in its place would have. */
  readonly dialer: Dialer;
  /** Shown for the board, which knows of no users. */
  readonly login?: LoginPlan | undefined;
  readonly line: TunnelLine;
  /** Told of each packet of the board's before it goes on. */
  readonly passing?: (packet: Packet) => void;
}

/** The board's side of a tunnel. */
export interface TunnelLine {
  sendNetwork(message: NetworkReply): void;
  sendNetworkData(bytes: Uint8Array): void;
  /** Bytes accepted for the board that it has not acknowledged. */
  readonly pendingBytes: number;
}

/** What the host says about connections. */
export type NetworkReply =
  | { readonly net: "opened"; readonly n: number }
  | { readonly net: "failed"; readonly n: number; readonly reason: DialFailure }
  | { readonly net: "closed"; readonly n: number; readonly reason: "closed" | "reset" };

/** How often what did not belong happened. */
export interface TunnelCounters {
  dials: number;
  /** Dials of a board that had not been told to connect. */
  notWanted: number;
  /** Connections ended because their bytes were no MQTT, or another member's. */
  broken: number;
  /** Bytes that belonged to no connection. */
  strayBytes: number;
  /** Connections ended because the board did not take what the broker sent. */
  overflowed: number;
}

/** A board cannot take more anyway; firmware with large messages has the line to itself for seconds. */
const MAX_PACKET_BYTES = 262_144;
/** The broker is not read while this much waits for the line: half a second at 115,200 baud. */
const PAUSE_BYTES = 6_144;
const RESUME_BYTES = 2_048;
/** Where the broker's side cannot be paused, what waits still has an end. */
const OVERFLOW_BYTES = 1_048_576;
const DRAIN_POLL_US = 20_000;

type Hindrance = "none" | "unreachable" | "vanish" | "unanswered";

const HINDRANCES: Readonly<Record<DisconnectMode, Hindrance>> = {
  graceful: "none",
  ungraceful: "unreachable",
  blackhole: "vanish",
  "no-connack": "unanswered",
};

/** @see TunnelOptions */
export class Tunnel implements ConnectionOwner {
  readonly maxPacketBytes = MAX_PACKET_BYTES;
  readonly counters: TunnelCounters = { dials: 0, notWanted: 0, broken: 0, strayBytes: 0, overflowed: 0 };
  private isWanted = false;
  private connection: TunnelledConnection | undefined;
  /** Left to itself: the broker still believes in it. */
  private deserted: TunnelledConnection | undefined;
  private hindrance: Hindrance = "none";
  private hinderedUntilUs = 0;
  private cutTimer: Timer | undefined;
  private drainTimer: Timer | undefined;

  constructor(private readonly options: TunnelOptions) {}

  get dialer(): Dialer {
    return this.options.dialer;
  }

  get version(): ProtocolVersion {
    return this.options.version;
  }

  /** From now on the board may dial. */
  open(): void {
    this.isWanted = true;
  }

  /** A message about connections from the board; anything else is ignored. */
  network(message: JsonValue): void {
    if (!isJsonObject(message)) return;
    const { net, n } = message;
    if (typeof n !== "number" || !Number.isSafeInteger(n)) return;
    if (net === "dial") this.dial(n);
    if (this.connection?.number !== n) return;
    if (net === "close") this.drop((connection) => connection.close());
    if (net === "abort") this.drop((connection) => connection.abort());
  }

  networkData(bytes: Uint8Array): void {
    if (this.connection?.isOpen !== true) this.counters.strayBytes += bytes.length;
    else this.connection.take(bytes);
  }

  /** The board has lost everything: it restarted, or its session on the line is gone. */
  lineLost(): void {
    this.drop((connection) => connection.abort());
  }

  /** Leaves in order for the board, which may not dial any more. */
  leave(): void {
    this.isWanted = false;
    this.drop((connection) => connection.leave());
    this.release();
  }

  /**
   * Ends the connection as told, and keeps it down for that long: see `FleetMember.disconnect`. A graceful end is the
   * board's own affair.
   */
  disconnect(mode: DisconnectMode, holdUs: number): void {
    const { clock } = this.options;
    this.hindrance = HINDRANCES[mode];
    this.hinderedUntilUs = clock.nowUs() + holdUs;
    if (mode === "graceful") return;
    if (mode !== "blackhole" || this.connection?.isOpen !== true) {
      this.drop((connection) => connection.break());
      return;
    }
    this.connection.silence();
    if (holdUs > 0) this.cutTimer = clock.after(holdUs, () => this.desert());
  }

  /** Nothing holds the connection down any more. */
  allow(): void {
    this.hinderedUntilUs = 0;
  }

  admit(packet: ConnectPacket): ConnectPacket | undefined {
    const { thing, version, login } = this.options;
    if (packet.clientId !== thing || packet.protocolVersion !== version) {
      this.counters.broken += 1;
      return undefined;
    }
    if (login === undefined || packet.username !== undefined) return packet;
    return { ...packet, username: login.username, password: Buffer.from(login.password) };
  }

  passing(packet: Packet): void {
    this.options.passing?.(packet);
  }

  opened(connection: TunnelledConnection): void {
    this.release();
    this.options.line.sendNetwork({ net: "opened", n: connection.number });
  }

  failed(connection: TunnelledConnection, reason: DialFailure): void {
    this.forget(connection);
    this.options.line.sendNetwork({ net: "failed", n: connection.number, reason });
  }

  ended(connection: TunnelledConnection, reason: "closed" | "reset"): void {
    this.forget(connection);
    this.options.line.sendNetwork({ net: "closed", n: connection.number, reason });
  }

  toBoard(bytes: Uint8Array): void {
    const { line, clock } = this.options;
    line.sendNetworkData(bytes);
    if (line.pendingBytes <= PAUSE_BYTES) return;
    if (line.pendingBytes > OVERFLOW_BYTES) {
      this.counters.overflowed += 1;
      this.drop((connection) => connection.break());
      return;
    }
    this.connection?.pauseReading();
    this.drainTimer ??= clock.after(DRAIN_POLL_US, () => this.drain());
  }

  private drain(): void {
    if (this.options.line.pendingBytes > RESUME_BYTES) {
      this.drainTimer?.again(DRAIN_POLL_US);
      return;
    }
    this.drainTimer = undefined;
    this.connection?.resumeReading();
  }

  private dial(number: number): void {
    this.drop((connection) => connection.abort());
    const { line } = this.options;
    this.counters.dials += 1;
    if (!this.isWanted) {
      this.counters.notWanted += 1;
      line.sendNetwork({ net: "failed", n: number, reason: "unreachable" });
      return;
    }
    if (this.isHindered("unreachable")) {
      line.sendNetwork({ net: "failed", n: number, reason: "unreachable" });
      return;
    }
    const connection = new TunnelledConnection(number, this, this.isHindered("unanswered"));
    this.connection = connection;
    if (!this.isHindered("vanish")) connection.dial();
  }

  private isHindered(hindrance: Hindrance): boolean {
    return this.hindrance === hindrance && this.options.clock.nowUs() < this.hinderedUntilUs;
  }

  /** The end of a blackhole, as the board sees it: its connection is gone, and the broker knows nothing. */
  private desert(): void {
    this.cutTimer = undefined;
    const { connection } = this;
    if (connection === undefined) return;
    this.release();
    if (connection.isOpen) this.deserted = connection;
    connection.desert();
  }

  /** A new connection is there, or the run ends: the old one need not be believed in any longer. */
  private release(): void {
    this.deserted?.release();
    this.deserted = undefined;
  }

  private drop(end: (connection: TunnelledConnection) => void): void {
    this.cutTimer?.cancel();
    this.cutTimer = undefined;
    const { connection } = this;
    if (connection !== undefined) end(connection);
    this.connection = undefined;
  }

  private forget(connection: TunnelledConnection): void {
    if (this.connection === connection) this.connection = undefined;
  }
}

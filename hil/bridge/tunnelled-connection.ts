import {
  type ConnectPacket,
  type Dialer,
  type DialFailure,
  type DialHandlers,
  encodePacket,
  type LinkCloseReason,
  type Packet,
  PacketDecoder,
  type PacketLink,
  type PacketReceiver,
  type PendingLink,
  type ProtocolVersion,
  REASON,
} from "fleetrig/protocol";

/** What a connection needs of its tunnel. */
export interface ConnectionOwner {
  readonly dialer: Dialer;
  readonly version: ProtocolVersion;
  readonly maxPacketBytes: number;
  /** @returns What goes on to the broker; undefined for a client that has no business here. */
  admit(packet: ConnectPacket): ConnectPacket | undefined;
  /** A packet of the board's is about to go on. */
  passing(packet: Packet): void;
  opened(connection: TunnelledConnection): void;
  failed(connection: TunnelledConnection, reason: DialFailure): void;
  toBoard(bytes: Uint8Array): void;
  /** The broker's side is gone. */
  ended(connection: TunnelledConnection, reason: "closed" | "reset"): void;
}

/**
 * One connection that the board has dialled: its bytes become packets on a link to the broker, and the other way round.
 * It is `dialing` until the link is there, `open`, and `over`. *Silenced*, nothing crosses it and nobody is told.
 */
export class TunnelledConnection implements DialHandlers, PacketReceiver {
  private phase: "dialing" | "open" | "over" = "dialing";
  private pending: PendingLink | undefined;
  private link: PacketLink | undefined;
  private readonly decoder: PacketDecoder;
  private isSilenced: boolean;

  constructor(
    /** The board's number for it. */
    readonly number: number,
    private readonly owner: ConnectionOwner,
    isSilenced: boolean,
  ) {
    const { maxPacketBytes, version } = owner;
    this.isSilenced = isSilenced;
    this.decoder = new PacketDecoder({ role: "server", maxPacketBytes, version });
  }

  dial(): void {
    this.pending = this.owner.dialer.dial(this);
  }

  get isOpen(): boolean {
    return this.phase === "open";
  }

  opened(link: PacketLink): PacketReceiver {
    this.pending = undefined;
    if (this.phase === "over") {
      link.destroy();
      return this;
    }
    this.link = link;
    this.phase = "open";
    this.owner.opened(this);
    return this;
  }

  failed(reason: DialFailure): void {
    this.pending = undefined;
    if (this.phase === "over") return;
    this.phase = "over";
    this.owner.failed(this, reason);
  }

  /** Bytes of the board. What is no MQTT ends the connection. */
  take(bytes: Uint8Array): void {
    if (this.phase !== "open" || this.isSilenced) return;
    const failure = this.decoder.push(bytes, TunnelledConnection.pass, this);
    if (failure !== undefined && this.isOpen) this.break();
  }

  received(packet: Packet): void {
    if (this.phase !== "open" || this.isSilenced) return;
    this.owner.toBoard(encodePacket(packet, this.decoder.version));
  }

  closed(reason: LinkCloseReason): void {
    this.link = undefined;
    if (this.phase !== "open") return;
    if (this.isSilenced) return;
    this.phase = "over";
    this.owner.ended(this, reason === "closed" ? "closed" : "reset");
  }

  /** The board ends it in order. */
  close(): void {
    this.finish((link) => link.close());
  }

  /** DISCONNECT, for a board that is powered off: no will. */
  leave(): void {
    this.finish((link) => {
      if (this.decoder.isOpened && !this.isSilenced)
        link.send({ type: "disconnect", reasonCode: REASON.success });
      link.close();
    });
  }

  /** Ends it without the board's being told. */
  abort(): void {
    this.finish((link) => link.destroy());
  }

  /** Ends it towards both sides. */
  break(): void {
    if (this.phase === "over") return;
    const wasOpen = this.isOpen;
    this.abort();
    if (wasOpen) this.owner.ended(this, "reset");
    else this.owner.failed(this, "unreachable");
  }

  /** From now on nothing crosses it, in either direction, and nobody is told. */
  silence(): void {
    this.isSilenced = true;
  }

  /** The board is told that it is over; the broker is not, and has to find out by itself. */
  desert(): void {
    if (this.phase !== "open") return this.break();
    this.isSilenced = true;
    this.phase = "over";
    this.owner.ended(this, "reset");
  }

  /** Ends the broker's side, when the connection was deserted. */
  release(): void {
    this.phase = "over";
    this.link?.destroy();
    this.link = undefined;
  }

  pauseReading(): void {
    this.link?.pauseReading?.();
  }

  resumeReading(): void {
    this.link?.resumeReading?.();
  }

  get bufferedBytes(): number {
    return this.link?.bufferedBytes ?? 0;
  }

  private finish(end: (link: PacketLink) => void): void {
    if (this.phase === "over") return;
    this.phase = "over";
    this.decoder.stop();
    this.pending?.abandon();
    this.pending = undefined;
    const { link } = this;
    this.link = undefined;
    if (link !== undefined) end(link);
  }

  private static pass(this: void, packet: Packet, _bytes: number, connection: TunnelledConnection): void {
    if (connection.phase !== "open") return;
    const { owner } = connection;
    const passed = packet.type === "connect" ? owner.admit(packet) : packet;
    if (passed === undefined) {
      connection.break();
      return;
    }
    owner.passing(passed);
    connection.link!.send(passed);
  }
}

import {
  type LinkPeer,
  type Packet,
  type PacketLink,
  type ProtocolVersion,
  REASON,
  wireBytes,
} from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import { ENDING } from "./ending.js";
import type { CommitWaiter } from "./journal.js";

/**
 * Stands in for the link of a connection until what its CONNACK promises is durable: nothing may be sent before
 * CONNACK, so everything waits with it, in order. What the client sends meanwhile is taken as usual.
 */
export class HeldLink implements PacketLink, CommitWaiter {
  private readonly held: Packet[] = [];
  private heldBytes = 0;

  constructor(
    private readonly connection: Connection,
    private readonly actual: PacketLink,
    private readonly version: ProtocolVersion,
  ) {}

  get bufferedBytes(): number {
    return this.actual.bufferedBytes + this.heldBytes;
  }

  get sentBytes(): number {
    return this.actual.sentBytes ?? 0;
  }

  get remoteAddress(): string {
    return this.actual.remoteAddress;
  }

  get peer(): LinkPeer | undefined {
    return this.actual.peer;
  }

  send(packet: Packet): void {
    this.held.push(packet);
    this.heldBytes += wireBytes(packet, this.version);
  }

  /** [MQTT-3.14.0-1] without its CONNACK a client gets no DISCONNECT either. */
  close(): void {
    this.actual.close();
  }

  destroy(): void {
    this.actual.destroy();
  }

  pauseReading(): void {
    this.actual.pauseReading?.();
  }

  resumeReading(): void {
    this.actual.resumeReading?.();
  }

  committed(): void {
    if (!this.connection.isConnected) return;
    this.connection.link = this.actual;
    for (const packet of this.held) this.actual.send(packet);
  }

  /** The session could not be stored: the client is told in its CONNACK. */
  failed(): void {
    if (!this.connection.isConnected) return;
    this.connection.link = this.actual;
    this.actual.send({ type: "connack", sessionPresent: false, reasonCode: REASON.serverUnavailable });
    this.connection.end({ ...ENDING.storeFailed, reasonCode: undefined });
  }
}

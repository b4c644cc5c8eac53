import type { ConnectPacket, Packet } from "fleetrig/protocol";
import type { Authentication } from "./enhanced-auth.js";

/** Packets, and their bytes, that a client may send ahead while its CONNECT waits for an answer. */
const MAX_EARLY_PACKETS = 32;
const MAX_EARLY_BYTES = 65_536;

/** A CONNECT without an answer: it waits for its turn, for a proof of who the client is, or for a decision. */
export class ConnectAttempt {
  /** As sent, or as assigned by the broker. */
  clientId: string;
  /** Enhanced authentication, once it has begun. */
  authentication: Authentication | undefined;
  private readonly early: Packet[] = [];
  private earlyBytes = 0;

  constructor(readonly packet: ConnectPacket) {
    this.clientId = packet.clientId;
  }

  /** A packet that must wait for CONNACK. @returns false when the client sends too much. */
  keep(packet: Packet, wireBytes: number): boolean {
    this.earlyBytes += wireBytes;
    return this.early.push(packet) <= MAX_EARLY_PACKETS && this.earlyBytes <= MAX_EARLY_BYTES;
  }

  /** What came too early, in order. */
  get kept(): readonly Packet[] {
    return this.early;
  }
}

import type { Clock, JsonValue } from "fleetrig/kernel";
import type { Packet } from "fleetrig/protocol";
import type { CaseEvidence, ConnectionNote, HandshakeNote, PacketNote } from "./evidence.js";
import { noteOf } from "./packet-note.js";

/** A device that floods must not fill the report. */
const PACKETS_MAX = 5_000;
const CONNECTIONS_MAX = 2_000;

type Written<T> = { -readonly [Key in keyof T]: T[Key] };

/** One TCP connection to the TLS door, as it is written while it goes on. */
export type OpenHandshake = Written<HandshakeNote>;

/** Takes the evidence of one case down. */
export class EvidenceBook {
  private readonly connections: Written<ConnectionNote>[] = [];
  private readonly packets: PacketNote[] = [];
  private readonly handshakes: OpenHandshake[] = [];
  private readonly outcomes = new Map<string, JsonValue>();
  private readonly startedUs: number;
  private droppedPackets = 0;

  constructor(private readonly clock: Clock) {
    this.startedUs = clock.nowUs();
  }

  /** @returns the number of the connection. */
  opened(openedUs: number): number {
    if (this.connections.length < CONNECTIONS_MAX) this.connections.push({ openedUs });
    return this.connections.length - 1;
  }

  closed(connection: number, closedBy: "device" | "endpoint"): void {
    const note = this.connections[connection];
    if (note === undefined || note.closedUs !== undefined) return;
    note.closedUs = this.clock.nowUs();
    note.closedBy = closedBy;
  }

  packet(
    packet: Packet,
    where: Pick<PacketNote, "connection" | "from" | "bytes" | "isWithheld">,
  ): PacketNote {
    const note: PacketNote = { atUs: this.clock.nowUs(), ...where, ...noteOf(packet) };
    if (this.packets.length < PACKETS_MAX) this.packets.push(note);
    else this.droppedPackets += 1;
    return note;
  }

  handshake(certificateBytes: number): OpenHandshake {
    const note: OpenHandshake = {
      atUs: this.clock.nowUs(),
      outcome: "open",
      certificateBytes,
      largestRecordBytes: 0,
    };
    if (this.handshakes.length < CONNECTIONS_MAX) this.handshakes.push(note);
    return note;
  }

  /** What a service says of the device; the latest counts. */
  outcome(name: string, value: JsonValue): void {
    this.outcomes.set(name, value);
  }

  /** Something of the device has come. */
  get hasContact(): boolean {
    return this.packets.length > 0 || this.handshakes.length > 0;
  }

  read(isOver = false): CaseEvidence {
    const { connections, packets, droppedPackets, handshakes, startedUs } = this;
    const outcomes = Object.fromEntries(this.outcomes);
    return {
      connections,
      packets,
      droppedPackets,
      handshakes,
      outcomes,
      startedUs,
      nowUs: this.clock.nowUs(),
      isOver,
    };
  }
}

import { type JsonObject, LANE, Random, VirtualTime } from "fleetrig/kernel";
import type {
  Dialer,
  Packet,
  PacketLink,
  PendingLink,
  ProtocolVersion,
  PublishPacket,
} from "fleetrig/protocol";
import {
  createMemoryDialer,
  createShapedDialer,
  LinkFaults,
  type LinkProfile,
  PERFECT_LINK,
} from "fleetrig/sim";

export const MS = 1_000;
export const SECOND = 1_000_000;
/** Every packet of the bench takes so many bytes on the wire. */
const PACKET_BYTES = 125;

/** Both ends of a link in memory, and what arrived when: `<µs> <topic>`. */
export class LinkBench {
  readonly time = new VirtualTime();
  readonly up: string[] = [];
  readonly down: string[] = [];
  readonly dials: string[] = [];
  readonly faults: LinkFaults;
  client: PacketLink | undefined;
  server: PacketLink | undefined;
  private readonly dialer: Dialer;
  pending: PendingLink | undefined;

  /** @param kind `shaped` bends a perfect link instead of making an imperfect one. */
  constructor(profile: Partial<LinkProfile> = {}, seed: number = 1, kind: "memory" | "shaped" = "memory") {
    const clock = this.time.lane(LANE.firstDevice);
    const random = (purpose: string): Random => Random.seeded(`${seed}/${purpose}`);
    this.faults = new LinkFaults({ clock, random });
    const acceptor = {
      accept: (link: PacketLink) => {
        this.server = link;
        return this.receiver(this.up);
      },
    };
    const version: ProtocolVersion = 5;
    const wireBytes = (): number => PACKET_BYTES;
    const shape = {
      clock,
      profile: { ...PERFECT_LINK, ...profile },
      random: random("network"),
      wireBytes,
      version,
    };
    if (kind === "memory") {
      this.dialer = createMemoryDialer({ ...shape, acceptor, faults: this.faults });
      return;
    }
    const unshaped = new LinkFaults({ clock, random });
    const inner = createMemoryDialer({ ...shape, profile: PERFECT_LINK, acceptor, faults: unshaped });
    this.dialer = createShapedDialer({ ...shape, inner, faults: this.faults });
  }

  dial(): void {
    this.pending = this.dialer.dial({
      opened: (link) => {
        this.client = link;
        this.dials.push(`${this.time.nowUs()} opened`);
        return this.receiver(this.down);
      },
      failed: (reason) => this.dials.push(`${this.time.nowUs()} ${reason}`),
    });
  }

  /** Opens and returns the bench; time stands where the handshake ended. */
  open(): this {
    this.dial();
    while (this.client === undefined) this.time.advance(MS);
    return this;
  }

  inject(fault: string, detail: JsonObject = {}): void {
    this.faults.set(fault, true, detail);
  }

  heal(fault: string): void {
    this.faults.set(fault, false, {});
  }

  private receiver(log: string[]) {
    return {
      received: (packet: Packet) => log.push(`${this.time.nowUs()} ${(packet as PublishPacket).topic}`),
      closed: (reason: string) => log.push(`${this.time.nowUs()} ${reason}`),
    };
  }
}

export const message = (topic: string): PublishPacket => ({
  type: "publish",
  topic,
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  dup: false,
});

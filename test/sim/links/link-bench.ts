import { type JsonObject, LANE, Random, VirtualTime } from "fleetrig/kernel";
import type { Packet, PacketLink, PendingLink, PublishPacket } from "fleetrig/protocol";
import { createMemoryDialer, LinkFaults, type LinkProfile, PERFECT_LINK } from "fleetrig/sim";

export const MS = 1_000;
export const SECOND = 1_000_000;
/** Every packet of the bench takes so many bytes on the wire. */
export const PACKET_BYTES = 125;

/** Both ends of a link in memory, and what arrived when: `<µs> <topic>`. */
export class LinkBench {
  readonly time = new VirtualTime();
  readonly up: string[] = [];
  readonly down: string[] = [];
  readonly dials: string[] = [];
  readonly faults: LinkFaults;
  client: PacketLink | undefined;
  server: PacketLink | undefined;
  private readonly dialer;
  pending: PendingLink | undefined;

  constructor(profile: Partial<LinkProfile> = {}, seed: number = 1) {
    const clock = this.time.lane(LANE.firstDevice);
    const random = (purpose: string): Random => Random.seeded(`${seed}/${purpose}`);
    this.faults = new LinkFaults({ clock, random });
    this.dialer = createMemoryDialer({
      acceptor: {
        accept: (link) => {
          this.server = link;
          return this.receiver(this.up);
        },
      },
      clock,
      profile: { ...PERFECT_LINK, ...profile },
      random: random("network"),
      wireBytes: () => PACKET_BYTES,
      version: 5,
      faults: this.faults,
    });
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

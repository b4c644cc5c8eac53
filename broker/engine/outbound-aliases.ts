import { type PublishPacket, wireBytes } from "fleetrig/protocol";

/** An alias takes three bytes, and its first packet may need a fourth for a longer property length. */
const ALIAS_BYTES = 3;
const INTRODUCTION_BYTES = ALIAS_BYTES + 1;
/** Topics seen once that are remembered per alias, until they come again or the memory is full. */
const CANDIDATES_PER_ALIAS = 4;

interface Slot {
  topic: string;
  /** Used since the hand passed it. */
  isFresh: boolean;
}

/**
 * Topic aliases towards one client (§3.3.2.3.4): a topic gets one when it comes for the second time, and keeps it
 * while it is used more often than the hand of a clock comes around. They end with the connection, and so does this.
 */
export class OutboundAliases {
  private readonly slots: Slot[] = [];
  private readonly byTopic = new Map<string, number>();
  private readonly candidates = new Set<string>();
  private hand = 0;

  /**
   * @param maximum Aliases in use at most: the client's Topic Alias Maximum or our own bound.
   * @param packetBytesMax The client's Maximum Packet Size.
   */
  constructor(
    private readonly maximum: number,
    private readonly packetBytesMax: number,
  ) {}

  /** The packet as it goes to this client: as it is, with topic and alias, or with the alias alone. */
  shorten(packet: PublishPacket): PublishPacket {
    const { topic } = packet;
    const alias = this.byTopic.get(topic);
    if (alias !== undefined) {
      this.slots[alias - 1]!.isFresh = true;
      return { ...packet, topic: "", topicAlias: alias };
    }
    if (topic.length <= ALIAS_BYTES || !this.hasCome(topic) || !this.fits(packet)) return packet;
    const free = this.freeAlias();
    if (free === undefined) return packet;
    this.slots[free - 1] = { topic, isFresh: true };
    this.byTopic.set(topic, free);
    return { ...packet, topicAlias: free };
  }

  private hasCome(topic: string): boolean {
    if (this.candidates.delete(topic)) return true;
    if (this.candidates.size >= this.maximum * CANDIDATES_PER_ALIAS) this.candidates.clear();
    this.candidates.add(topic);
    return false;
  }

  private fits(packet: PublishPacket): boolean {
    return (
      this.packetBytesMax === Number.POSITIVE_INFINITY ||
      wireBytes(packet, 5) + INTRODUCTION_BYTES <= this.packetBytesMax
    );
  }

  /** The next unused alias, or one whose topic was not used for a whole round. */
  private freeAlias(): number | undefined {
    const { slots } = this;
    if (slots.length < this.maximum) return slots.length + 1;
    const slot = slots[this.hand]!;
    const alias = this.hand + 1;
    this.hand = alias % slots.length;
    if (slot.isFresh) {
      slot.isFresh = false;
      return undefined;
    }
    this.byTopic.delete(slot.topic);
    return alias;
  }
}

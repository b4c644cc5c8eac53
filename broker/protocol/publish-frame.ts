import type { MessageProperties, ProtocolVersion, PublishPacket, QoS } from "./packets.js";

const NOTHING = new Uint8Array(0);
/** Says what no other packet says: its payload is nobody else's. */
const NO_PACKET: PublishPacket = {
  type: "publish",
  topic: "",
  payload: NOTHING,
  qos: 0,
  retain: false,
  dup: false,
};

/**
 * The bytes of a PUBLISH as they came in or first went out, kept with the packet so that forwarding it costs a copy
 * of bytes instead of encoding. All receivers of one version get the same bytes but for the first one (RETAIN, DUP)
 * and the packet identifier; a packet without identifier is another *form*. Forms of one message are a chain.
 *
 * A form is used only for a packet that says the same as the one it was made of, so that nobody who derives one
 * packet from another has to think of it.
 */
export class PublishFrame {
  /** Set when several receivers get the message: a form that is missing is worth encoding once for all of them. */
  isShared = false;
  private next: PublishFrame | undefined;
  private view: Uint8Array | undefined;

  /**
   * @param packet What the bytes say.
   * @param bytes The frame is `[start, end)` of these; they must never change.
   * @param identifierAt Where the packet identifier lies, relative to `start`; 0 without one.
   */
  constructor(
    private readonly packet: PublishPacket,
    private readonly version: ProtocolVersion,
    private readonly bytes: Uint8Array,
    private readonly start: number,
    private readonly end: number,
    private readonly identifierAt: number,
  ) {
    this.next = undefined;
    this.view = undefined;
  }

  /** A chain without any form yet, for a message that was not received as bytes. */
  static none(): PublishFrame {
    return new PublishFrame(NO_PACKET, 4, NOTHING, 0, 0, 0);
  }

  get byteLength(): number {
    return this.end - this.start;
  }

  /** Memory that the received bytes keep from being given back. */
  get heldBytes(): number {
    return this.bytes.buffer.byteLength;
  }

  /** The form of this chain that can be sent as `packet`. */
  find(packet: PublishPacket, version: ProtocolVersion): PublishFrame | undefined {
    if (this.fits(packet, version)) return this;
    let form = this.next;
    while (form !== undefined && !form.fits(packet, version)) form = form.next;
    return form;
  }

  /** Adds a form to the chain. */
  append(form: PublishFrame): void {
    form.next = this.next;
    this.next = form;
  }

  /** Writes the frame for `packet` at `at`. @returns where the next one goes. */
  copyTo(target: Buffer, at: number, packet: PublishPacket): number {
    const { identifierAt } = this;
    const frame = this.whole();
    target.set(frame, at);
    target[at] = publishFirstByte(packet);
    if (identifierAt > 0) {
      target[at + identifierAt] = packet.packetId! >>> 8;
      target[at + identifierAt + 1] = packet.packetId!;
    }
    return at + frame.length;
  }

  /** The frame without a copy, where `packet` needs no change of it. */
  asIs(packet: PublishPacket): Uint8Array | undefined {
    return this.isAs(packet) ? this.whole() : undefined;
  }

  /** Do the bytes of this frame follow directly on those of `previous`, in one buffer? */
  follows(previous: PublishFrame): boolean {
    return previous.bytes === this.bytes && previous.end === this.start;
  }

  /** Can it be sent as `packet` without changing a byte? */
  isAs(packet: PublishPacket): boolean {
    return this.identifierAt === 0 && this.bytes[this.start] === publishFirstByte(packet);
  }

  /** Copies this frame and all up to `last`, which follow each other. @returns where the next one goes. */
  copyRun(last: PublishFrame, target: Buffer, at: number): number {
    const run = this === last ? this.whole() : this.bytes.subarray(this.start, last.end);
    target.set(run, at);
    return at + run.length;
  }

  private whole(): Uint8Array {
    const { bytes, start, end } = this;
    this.view ??= new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
    return this.view;
  }

  private fits(packet: PublishPacket, version: ProtocolVersion): boolean {
    const hasIdentifier = packet.qos !== 0;
    return this.version === version && this.identifierAt > 0 === hasIdentifier && this.says(packet, version);
  }

  private says(packet: PublishPacket, version: ProtocolVersion): boolean {
    const own = this.packet;
    if (own === packet) return true;
    if (own.topic !== packet.topic || own.payload !== packet.payload) return false;
    return (
      version === 4 ||
      (own.userProperties === packet.userProperties &&
        own.messageExpiryS === packet.messageExpiryS &&
        own.topicAlias === packet.topicAlias &&
        own.subscriptionIds === packet.subscriptionIds &&
        own.responseTopic === packet.responseTopic &&
        own.correlationData === packet.correlationData &&
        own.contentType === packet.contentType &&
        own.payloadFormat === packet.payloadFormat)
    );
  }
}

/** What every PUBLISH has. */
type PublishCore = Pick<PublishPacket, "topic" | "payload" | "qos" | "retain" | "dup">;

/**
 * A PUBLISH with its bytes. They are not part of what it means: comparing or copying the packet does not see them.
 */
export class FramedPublish implements PublishPacket {
  readonly type = "publish";
  topic: string;
  payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  declare packetId?: number;
  declare topicAlias?: number;
  declare subscriptionIds?: readonly number[];
  declare messageExpiryS?: number;
  declare payloadFormat?: 0 | 1;
  declare contentType?: string;
  declare responseTopic?: string;
  declare correlationData?: Uint8Array;
  declare userProperties?: NonNullable<MessageProperties["userProperties"]>;
  #frame: PublishFrame | undefined;

  constructor(core: PublishCore, frame: PublishFrame | undefined) {
    this.topic = core.topic;
    this.payload = core.payload;
    this.qos = core.qos;
    this.retain = core.retain;
    this.dup = core.dup;
    this.#frame = frame;
  }

  /** The bytes that `packet` carries, if any. */
  static frameOf(packet: PublishPacket): PublishFrame | undefined {
    return #frame in packet ? packet.#frame : undefined;
  }

  /** Says where the bytes of this packet are. */
  carry(frame: PublishFrame): void {
    this.#frame = frame;
  }
}

/** Type and flags of a PUBLISH (§3.3.1). */
export const publishFirstByte = (packet: PublishPacket): number =>
  0x30 | (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0);

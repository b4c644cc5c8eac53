import { EventEmitter, once } from "node:events";
import type { LinkCloseReason, Packet, PacketAcceptor, PacketLink, PacketReceiver } from "fleetrig/protocol";

/** One end of a link under test: remembers what it hears and lets a test await it. */
export class Recorder implements PacketReceiver {
  readonly packets: Packet[] = [];
  readonly closings: LinkCloseReason[] = [];
  readonly link: PacketLink;
  private readonly events = new EventEmitter();
  private readonly answer: (packet: Packet, link: PacketLink) => void;

  constructor(link: PacketLink, answer: (packet: Packet, link: PacketLink) => void) {
    this.link = link;
    this.answer = answer;
  }

  received(packet: Packet): void {
    this.packets.push(packet);
    this.answer(packet, this.link);
    this.events.emit("packet");
  }

  closed(reason: LinkCloseReason): void {
    this.closings.push(reason);
    this.events.emit("closed");
  }

  async untilPackets(count: number): Promise<Packet[]> {
    while (this.packets.length < count) await once(this.events, "packet");
    return this.packets;
  }

  async untilClosed(): Promise<LinkCloseReason[]> {
    if (this.closings.length === 0) await once(this.events, "closed");
    return this.closings;
  }
}

/** Answers CONNECT with CONNACK and PINGREQ with PINGRESP; records everything. */
export class RecordingAcceptor implements PacketAcceptor {
  readonly recorders: Recorder[] = [];
  private readonly events = new EventEmitter();
  private readonly answer: (packet: Packet, link: PacketLink) => void;

  constructor(answer: (packet: Packet, link: PacketLink) => void = answerConnect) {
    this.answer = answer;
  }

  accept(link: PacketLink): PacketReceiver {
    const recorder = new Recorder(link, this.answer);
    this.recorders.push(recorder);
    this.events.emit("accepted");
    return recorder;
  }

  async untilAccepted(count = 1): Promise<Recorder> {
    while (this.recorders.length < count) await once(this.events, "accepted");
    return this.recorders[count - 1]!;
  }
}

export function answerConnect(packet: Packet, link: PacketLink): void {
  if (packet.type === "connect") link.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
  if (packet.type === "pingreq") link.send({ type: "pingresp" });
}

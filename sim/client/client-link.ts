import type { LinkCloseReason, Packet, PacketLink, PacketReceiver } from "fleetrig/protocol";

export interface ClientLinkOwner {
  packetReceived(packet: Packet): void;
  linkClosed(reason: LinkCloseReason): void;
}

/**
 * The client's hold on one link. It separates connections: what a link that was given up still delivers
 * reaches nobody. A silenced link stays open and carries nothing, which is how a device experiences (and
 * causes) a half-open connection over any transport.
 */
export class ClientLink implements PacketReceiver {
  private owner: ClientLinkOwner | undefined;
  private isSilenced = false;

  constructor(
    owner: ClientLinkOwner,
    private readonly link: PacketLink,
  ) {
    this.owner = owner;
  }

  send(packet: Packet): void {
    if (!this.isSilenced) this.link.send(packet);
  }

  silence(): void {
    this.isSilenced = true;
  }

  /** Ends the link after what was sent, and lets go of it. */
  close(): void {
    this.owner = undefined;
    this.link.close();
  }

  /** Ends the link at once, and lets go of it. */
  destroy(): void {
    this.owner = undefined;
    this.link.destroy();
  }

  /** Lets go without ending it: the other side has to find out by itself. */
  desert(): void {
    this.owner = undefined;
  }

  received(packet: Packet): void {
    if (!this.isSilenced) this.owner?.packetReceived(packet);
  }

  closed(reason: LinkCloseReason): void {
    if (!this.isSilenced) this.owner?.linkClosed(reason);
  }
}

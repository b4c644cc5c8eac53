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
  isSilenced = false;

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

  /** Stops listening: what still arrives is nobody's. */
  letGo(): void {
    this.owner = undefined;
  }

  /** Ends the link after what was sent. */
  close(): void {
    this.letGo();
    this.link.close();
  }

  /** Ends the link at once. */
  destroy(): void {
    this.letGo();
    this.link.destroy();
  }

  received(packet: Packet): void {
    if (!this.isSilenced) this.owner?.packetReceived(packet);
  }

  closed(reason: LinkCloseReason): void {
    if (!this.isSilenced) this.owner?.linkClosed(reason);
  }
}

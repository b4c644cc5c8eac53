import type { Packet } from "fleetrig/protocol";
import type { Connection } from "./connection.js";
import { ENDING } from "./ending.js";
import type { CommitWaiter } from "./journal.js";

/** An acknowledgement that waits until what it promises is durable. */
export class PendingAnswer implements CommitWaiter {
  constructor(
    private readonly connection: Connection,
    private readonly packet: Packet,
    private readonly endsPublish: boolean,
  ) {}

  committed(): void {
    if (this.connection.isConnected) this.connection.sendAnswer(this.packet, this.endsPublish);
  }

  /** Never sent: the client keeps what was not acknowledged and brings it again. */
  failed(): void {
    this.connection.end(ENDING.storeFailed);
  }
}

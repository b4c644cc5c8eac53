import type { Connection } from "./connection.js";
import { ENDING } from "./ending.js";
import type { InflightEntry } from "./inflight.js";
import type { CommitWaiter } from "./journal.js";

/**
 * A QoS 2 message that waits until its packet identifier is durable. Were it sent before, a broker that comes back
 * after a crash would send it under another identifier, and the client would have it twice.
 */
export class PendingSend implements CommitWaiter {
  constructor(
    private readonly connection: Connection,
    private readonly entry: InflightEntry,
  ) {}

  committed(): void {
    const { connection, entry } = this;
    if (entry.delivery !== undefined && connection.isConnected)
      connection.sendInflight(entry, entry.delivery);
  }

  /** The client gets it from a broker that can keep its word. */
  failed(): void {
    this.connection.end(ENDING.storeFailed);
  }
}

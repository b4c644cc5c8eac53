import type { Connection } from "./connection.js";

/**
 * Why a client is not read from: the disk is behind, its messages pile up in queues, or it sends more per second than
 * it may.
 */
export type BrakeCause = "disk" | "credit" | "rate";

const BITS: Readonly<Record<BrakeCause, number>> = { disk: 1, credit: 2, rate: 4 };

/** Keeps the broker from reading a client's packets while there is a cause; TCP then slows the client itself. */
export class IntakeBrake {
  private causes = 0;

  constructor(private readonly connection: Connection) {}

  get isOn(): boolean {
    return this.causes !== 0;
  }

  /** @returns false when the link cannot be held back, or is for this cause already. */
  press(cause: BrakeCause): boolean {
    const { link, core } = this.connection;
    if (link.pauseReading === undefined || (this.causes & BITS[cause]) !== 0) return false;
    if (this.causes === 0) {
      core.counters.heldBack += 1;
      link.pauseReading();
    }
    core.counters.brakes[cause] += 1;
    this.causes |= BITS[cause];
    return true;
  }

  release(cause: BrakeCause): void {
    if ((this.causes & BITS[cause]) === 0) return;
    this.causes &= ~BITS[cause];
    if (this.causes === 0) this.letGo();
  }

  /** The connection ends: its link must see the other side end. */
  stop(): void {
    if (this.causes === 0) return;
    this.causes = 0;
    this.letGo();
  }

  private letGo(): void {
    const { link, core } = this.connection;
    core.counters.heldBack -= 1;
    link.resumeReading?.();
  }
}

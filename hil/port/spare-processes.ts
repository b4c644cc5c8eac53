import type { Clock, Timer } from "fleetrig/kernel";
import { ANSWER, COMMAND } from "./host-frames.js";
import { PortProcess } from "./port-process.js";

/** Boards that are away at the same time and find their process waiting; for others one is started. */
const SPARES_MAX = 8;
/** A driver that takes longer to close a port that has gone may take for ever. */
const CLOSING_US = 2_000_000;

/**
 * Port processes without a port. To start one takes longer than everything else that a board's way back needs, on a busy machine several
 * seconds; so the process of a port that was closed or pulled out is kept for the next one.
 */
export class SpareProcesses {
  private readonly spares: PortProcess[] = [];
  private readonly closing = new Map<PortProcess, Timer>();
  private isOver = false;

  constructor(private readonly clock: Clock) {}

  take(): PortProcess {
    for (let spare = this.spares.shift(); spare !== undefined; spare = this.spares.shift()) {
      if (!spare.isOver) return spare;
    }
    return new PortProcess();
  }

  /** Its port is closed. */
  keep(spare: PortProcess): void {
    if (this.isOver || spare.isOver || this.spares.length >= SPARES_MAX) {
      spare.dismiss();
      return;
    }
    spare.rest();
    this.spares.push(spare);
  }

  /** Its port has gone, and is to be closed. */
  recover(spare: PortProcess): void {
    const settle = (act: () => void): void => {
      patience.cancel();
      this.closing.delete(spare);
      act();
    };
    const patience = this.clock.after(CLOSING_US, () => settle(() => spare.kill()));
    this.closing.set(spare, patience);
    const wanted = spare.command(COMMAND.close);
    spare.serve({
      heard: (kind, number) => {
        if (number === wanted && kind === ANSWER.done) settle(() => this.keep(spare));
        else if (number === wanted && kind === ANSWER.failed) settle(() => spare.kill());
      },
      ended: () => settle(() => undefined),
    });
  }

  /** Ends those that nobody took. */
  close(): void {
    this.isOver = true;
    for (const spare of this.spares.splice(0)) spare.dismiss();
    for (const [spare, patience] of this.closing) {
      patience.cancel();
      spare.kill();
    }
    this.closing.clear();
  }
}

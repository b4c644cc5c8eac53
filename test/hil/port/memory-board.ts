import { MemoryPort, type ModemLines, type Port, type PortOpener, type PortOpening } from "fleetrig/hil";
import { type Clock, FleetrigError } from "fleetrig/kernel";

/** A board in this process that remembers what is done to it. */
export class MemoryBoard implements PortOpener {
  readonly received: Buffer[] = [];
  readonly lines: ModemLines[] = [];
  readonly bauds: number[] = [];
  port: MemoryPort | undefined;
  isPluggedIn = true;

  constructor(
    private readonly clock: Clock,
    private readonly hasLines = true,
  ) {}

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  open(opening: PortOpening): Promise<Port> {
    if (!this.isPluggedIn) return Promise.reject(new FleetrigError("PORT_NOT_FOUND", "It is not there."));
    this.port = new MemoryPort({
      clock: this.clock,
      opening,
      hasLines: this.hasLines,
      peer: {
        received: (bytes) => void this.received.push(Buffer.from(bytes)),
        lines: (lines) => void this.lines.push(lines),
        baud: (baud) => void this.bauds.push(baud),
        closed: () => (this.port = undefined),
      },
    });
    return Promise.resolve(this.port);
  }
}

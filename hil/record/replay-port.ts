import type { Clock } from "fleetrig/kernel";
import { portClosed } from "../port/port-error.js";
import type { ModemLines, Port, PortAddress, PortEnd, PortOpener, PortOpening } from "../port/port.js";
import type { PortRecord } from "./recording.js";

export interface ReplayOptions {
  readonly records: readonly PortRecord[];
  readonly clock: Clock;
  /** Told of what is written, set and closed now, with the times of now: for comparing it with what was. */
  readonly note?: (record: PortRecord) => void;
}

const ENDS: ReadonlySet<string> = new Set(["local", "disconnected", "stalled", "failed"] satisfies PortEnd[]);

/**
 * Ports that do again what a recording has, opening after opening: what came in comes in, at the same time after the opening. What is written
 * goes nowhere. A port that is opened more often than it was ends at once.
 */
export function replayPorts({ records, clock, note }: ReplayOptions): PortOpener {
  const openings: PortRecord[][] = [];
  for (const record of records) {
    if (record.kind === "opened") openings.push([]);
    openings.at(-1)?.push(record);
  }
  let next = 0;
  return {
    async open(opening) {
      return new ReplayPort(opening, openings[next++] ?? [], { clock, note: note ?? (() => {}) });
    },
  };
}

class ReplayPort implements Port {
  readonly address: PortAddress;
  readonly bufferedBytes = 0;
  private isEnded = false;
  private next = 0;
  private readonly startUs: number;

  constructor(
    private readonly opening: PortOpening,
    private readonly records: readonly PortRecord[],
    private readonly options: { readonly clock: Clock; readonly note: (record: PortRecord) => void },
  ) {
    this.address = opening.address;
    this.startUs = options.clock.nowUs();
    this.schedule();
  }

  write(bytes: Uint8Array): void {
    if (!this.isEnded)
      this.options.note({ kind: "written", atUs: this.options.clock.nowUs(), bytes: bytes.slice() });
  }

  async setLines({ dtr, rts }: ModemLines): Promise<void> {
    if (this.isEnded) throw portClosed(this.address);
    this.options.note({ kind: "lines", atUs: this.options.clock.nowUs(), dtr, rts });
  }

  async setBaud(baud: number): Promise<void> {
    if (this.isEnded) throw portClosed(this.address);
    this.options.note({ kind: "baud", atUs: this.options.clock.nowUs(), baud });
  }

  async close(): Promise<void> {
    this.finish("local");
  }

  private schedule(): void {
    const record = this.records[this.next];
    const { clock } = this.options;
    const dueUs = this.startUs + (record?.atUs ?? this.records.at(-1)?.atUs ?? 0);
    clock.after(dueUs - clock.nowUs(), () => this.play(record));
  }

  private play(record: PortRecord | undefined): void {
    if (this.isEnded) return;
    this.next += 1;
    // A recording that a crash ended has no last word.
    if (record === undefined) this.finish("disconnected");
    else if (record.kind === "closed") this.finish(endOf(record.reason));
    else {
      if (record.kind === "received")
        this.opening.receiver.received(record.bytes, this.options.clock.nowUs());
      this.schedule();
    }
  }

  private finish(reason: PortEnd): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.options.note({ kind: "closed", atUs: this.options.clock.nowUs(), reason });
    this.opening.receiver.closed(reason);
  }
}

/** That this side closed it then is no reason to close it now other than that nothing follows. */
const endOf = (reason: string): PortEnd =>
  ENDS.has(reason) && reason !== "local" ? (reason as PortEnd) : "disconnected";

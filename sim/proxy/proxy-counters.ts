/** What a proxy has done so far. All numbers only grow, except `open`. */
export interface ProxyCounters {
  readonly connections: {
    readonly accepted: number;
    /** At the moment. */
    readonly open: number;
    /** Turned away by a fault: refused or unreachable. */
    readonly refused: number;
    /** Left without an answer by a fault. */
    readonly vanished: number;
    /** The target did not let them in, or could not be reached. */
    readonly targetFailed: number;
    /** Turned away because there were too many. */
    readonly overLimit: number;
    /** The system could not accept them, for want of file descriptors say. */
    readonly notAccepted: number;
    /** Open ones that a fault reset. */
    readonly reset: number;
    /** Open ones that a fault cut off without telling anybody. */
    readonly severed: number;
  };
  readonly up: DirectionCounters;
  readonly down: DirectionCounters;
  /** How often each fault was switched on. */
  readonly faults: Readonly<Record<string, number>>;
}

/** One direction of all connections. */
export interface DirectionCounters {
  readonly receivedBytes: number;
  readonly passedBytes: number;
  /** Packets received; 0 in raw mode. */
  readonly packets: number;
  /** Packets that a fault kept back. */
  readonly droppedPackets: number;
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

const noBytes = (): Growing<DirectionCounters> => ({
  receivedBytes: 0,
  passedBytes: 0,
  packets: 0,
  droppedPackets: 0,
});

/** The counters while they count. */
export class ProxyTally {
  readonly connections: Growing<ProxyCounters["connections"]> = {
    accepted: 0,
    open: 0,
    refused: 0,
    vanished: 0,
    targetFailed: 0,
    overLimit: 0,
    notAccepted: 0,
    reset: 0,
    severed: 0,
  };
  readonly up = noBytes();
  readonly down = noBytes();
  private readonly faults = new Map<string, number>();

  switchedOn(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  read(): ProxyCounters {
    return {
      connections: { ...this.connections },
      up: { ...this.up },
      down: { ...this.down },
      faults: Object.fromEntries(this.faults),
    };
  }
}

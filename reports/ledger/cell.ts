import { Histogram } from "./histogram.js";

/** What happened to the messages of one stream that were scheduled in one stage. Cells add up to any selection. */
export class Cell {
  sent = 0;
  /** Acknowledged without refusal. */
  acked = 0;
  noSubscribers = 0;
  /** Distinct messages received. */
  received = 0;
  /** Received and, for qos 1 and 2, acknowledged: E ∩ U. */
  expectedReceived = 0;
  duplicatesFlagged = 0;
  duplicatesUnflagged = 0;
  reordered = 0;
  unexpected = 0;
  discarded = 0;
  retransmitted = 0;
  /** Sent later than scheduled because the thing was offline; not a fault of the generator. */
  buffered = 0;
  refused = 0;
  readonly refusedByCode = new Map<number, number>();
  readonly e2e = new Histogram();
  readonly service = new Histogram();
  readonly ack = new Histogram();
  readonly scheduleLag = new Histogram();

  constructor(
    readonly stream: number,
    readonly stage: number,
  ) {}
}

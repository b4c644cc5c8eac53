import { type Clock, formatDurationUs } from "fleetrig/kernel";
import type { BoardHands, Patience } from "./board-parts.js";

/** Steps towards a board that works, the harmless ones first. */
export type Rung = "waited" | "reopened" | "reset" | "usb-reset" | "power-cycled";

/** A board as its ladder sees it. */
export interface LadderTarget {
  /** A port shows it. */
  readonly isSeen: boolean;
  readonly isPortOpen: boolean;
  readonly hands: BoardHands;
  reopen(): void;
  reset(): Promise<void>;
  usbReset(): Promise<void>;
  cyclePower(): Promise<void>;
}

interface RungDefinition {
  readonly rung: Rung;
  readonly patience: keyof Patience;
  isPossible(board: LadderTarget): boolean;
  perform(board: LadderTarget): Promise<void> | undefined;
}

const reopened: RungDefinition = {
  rung: "reopened",
  patience: "reopenedUs",
  isPossible: (board) => board.isSeen,
  perform: (board) => {
    board.reopen();
    return undefined;
  },
};

/** In this order. A port that could not be opened gets several tries: udev sets permissions a moment after it makes the device. */
const LADDER: readonly RungDefinition[] = [
  { rung: "waited", patience: "waitedUs", isPossible: () => true, perform: () => undefined },
  reopened,
  {
    rung: "reset",
    patience: "resetUs",
    isPossible: (board) => board.isPortOpen && board.hands.reset !== undefined,
    perform: (board) => board.reset(),
  },
  reopened,
  {
    rung: "usb-reset",
    patience: "powerUs",
    isPossible: (board) => board.hands.usbReset !== undefined,
    perform: (board) => board.usbReset(),
  },
  {
    rung: "power-cycled",
    patience: "powerUs",
    isPossible: (board) => board.hands.power !== undefined,
    perform: (board) => board.cyclePower(),
  },
  reopened,
];

/** What was tried last, and how long it has. */
export interface Climb {
  readonly rung: Rung;
  readonly patienceUs: number;
}

/** Where on the ladder a board is, and what was found on the way. */
export class RecoveryLadder {
  private next = 0;
  private current: Climb | undefined;
  private readonly found: string[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {}

  /** The rung that the board stands on; undefined while it works. */
  get rung(): Rung | undefined {
    return this.current?.rung;
  }

  get climbing(): Climb | undefined {
    return this.current;
  }

  /** Why it is being recovered, and what came of each rung. */
  get evidence(): readonly string[] {
    return this.found;
  }

  /** Something that says why. */
  note(what: string): void {
    if (this.found.at(-1) !== what) this.found.push(what);
  }

  /** Begins the next rung that is possible. @returns undefined when there is none. */
  climb(board: LadderTarget): Climb | undefined {
    if (this.current !== undefined) {
      this.note(`${this.current.rung}, no hello within ${formatDurationUs(this.current.patienceUs)}`);
    }
    for (; this.next < LADDER.length; this.next += 1) {
      const definition = LADDER[this.next]!;
      if (!definition.isPossible(board)) continue;
      this.next += 1;
      this.current = { rung: definition.rung, patienceUs: this.patience[definition.patience] };
      definition.perform(board)?.catch((error: unknown) => {
        this.note(`${definition.rung} failed: ${error instanceof Error ? error.message : String(error)}`);
      });
      return this.current;
    }
    this.current = undefined;
    return undefined;
  }

  /** The board works. */
  clear(): void {
    this.next = 0;
    this.current = undefined;
    this.found.length = 0;
  }

  /** One sentence for those who come to look at it. */
  verdict(sinceUs: number | undefined): string {
    const tries = this.found.length === 0 ? "nothing could be tried" : this.found.join("; ");
    if (sinceUs === undefined) return tries;
    return `${tries} (lost for ${formatDurationUs(this.clock.nowUs() - sinceUs)})`;
  }
}

import type { Clock, EventSink, RandomSource } from "fleetrig/kernel";
import type { FrameEncoding } from "../link/frame.js";
import type { Hello } from "../link/hello.js";
import type { PortOpener } from "../port/port.js";
import type { BoardHands, BoardPlace, BoardTracker, Patience } from "./board-parts.js";

/** One board, and everything that it hangs on. */
export interface BoardOptions {
  /** Whose board it is, for events. */
  readonly thing: string;
  readonly clock: Clock;
  /** For link and noise. */
  readonly random: RandomSource;
  readonly events: EventSink;
  readonly tracker: BoardTracker;
  readonly opener: PortOpener;
  readonly hands: BoardHands;
  /** Default: 115200. */
  readonly baud?: number;
  /** Default: `cobs`. */
  readonly encoding?: FrameEncoding;
  readonly patience?: Partial<Patience>;
  /** Names an address of its program. */
  readonly symbol?: (address: number) => string;
  /** The first hello. @returns why it is the wrong board, if it is. */
  readonly accept?: (hello: Hello) => string | undefined;
  /** Told once: it is at hello, or has been given up. */
  readonly settled?: (outcome: BoardOutcome) => void;
}

/** How a board began. */
export type BoardOutcome =
  | { readonly hello: Hello; readonly place: BoardPlace }
  | { readonly hello: undefined; readonly reason: string };

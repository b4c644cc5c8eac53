import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";

/** How many lines of one kind are let through, and how many were not. */
interface Window {
  admitted: number;
  suppressed: number;
}

/** Lines of one kind that a window of time lets through. */
const LINES = 10;
const WINDOW_US = 10 * US_PER_S;
/** Kinds are names of our own, so this is only a last resort. */
const MAX_KINDS = 1_000;

/**
 * Bounds a log: of each kind, ten lines in ten seconds; the rest is counted and told when the window ends. All kinds
 * share one window and one timer, which runs only while there is something to tell.
 */
export class LogLimiter {
  private readonly windows = new Map<string, Window>();
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (kind: string, suppressed: number) => void,
  ) {}

  /** May one more line of this kind be written? */
  admits(kind: string): boolean {
    let window = this.windows.get(kind);
    if (window === undefined) {
      if (this.windows.size >= MAX_KINDS) return false;
      window = { admitted: 0, suppressed: 0 };
      this.windows.set(kind, window);
      this.timer ??= this.clock.after(WINDOW_US, () => this.close());
    }
    if (window.admitted < LINES) {
      window.admitted += 1;
      return true;
    }
    window.suppressed += 1;
    return false;
  }

  /** Ends the window now and tells what it held back. */
  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const ended = Array.from(this.windows);
    this.windows.clear();
    for (const [kind, { suppressed }] of ended) if (suppressed > 0) this.tell(kind, suppressed);
  }
}

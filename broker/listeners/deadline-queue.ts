import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";

/** Things that are all given the same time: one timer for all of them, in the order in which they came. */
export class DeadlineQueue<Key> {
  private readonly dueUs = new Map<Key, number>();
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly delayS: number,
    private readonly expired: (key: Key) => void,
  ) {}

  get size(): number {
    return this.dueUs.size;
  }

  add(key: Key): void {
    if (!Number.isFinite(this.delayS)) return;
    this.dueUs.set(key, this.clock.nowUs() + this.delayS * US_PER_S);
    if (this.timer === undefined) this.arm(this.delayS * US_PER_S);
  }

  /** It was in time, or is gone. */
  delete(key: Key): void {
    this.dueUs.delete(key);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.dueUs.clear();
  }

  private arm(delayUs: number): void {
    this.timer = this.clock.after(delayUs, DeadlineQueue.sweep, this as DeadlineQueue<unknown>);
  }

  private static sweep(this: void, queue: DeadlineQueue<unknown>): void {
    queue.timer = undefined;
    const nowUs = queue.clock.nowUs();
    for (const [key, dueUs] of queue.dueUs) {
      if (dueUs > nowUs) {
        queue.arm(dueUs - nowUs);
        return;
      }
      queue.dueUs.delete(key);
      queue.expired(key);
    }
  }
}

import type { Session } from "../engine/session.js";
import { sessionId } from "./keys.js";
import { StoredQueue } from "./stored-queue.js";

/** What is stored of one session, and what of it has changed since. Queues come into being when first used. */
export class SessionLog {
  /** As in the keys. */
  readonly id: string;
  isStored = false;
  identityChanged = false;
  flowChanged = false;
  filtersChanged: Set<string> | undefined;
  /** First sequences of segments to delete. */
  emptied: number[] | undefined;
  private messages: StoredQueue | undefined;

  constructor(
    readonly session: Session,
    number: number,
  ) {
    this.id = sessionId(number);
  }

  get queue(): StoredQueue {
    this.messages ??= new StoredQueue();
    return this.messages;
  }

  /** The queue, if there ever was a message. */
  get usedQueue(): StoredQueue | undefined {
    return this.messages;
  }

  filterChanged(filter: string): void {
    this.filtersChanged ??= new Set();
    this.filtersChanged.add(filter);
  }

  /** The session is about to lose its subscriptions: all of them have to be deleted. */
  noteFilters(): void {
    for (const { filter } of this.session.subscriptions()) this.filterChanged(filter);
  }

  segmentEmptied(first: number): void {
    this.emptied ??= [];
    this.emptied.push(first);
  }
}

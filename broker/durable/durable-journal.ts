import { type Clock, type FleetrigError, type JsonValue, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import type { QoS } from "fleetrig/protocol";
import { contentBytes, type Delivery } from "../engine/delivery.js";
import type { CommitWaiter, Journal } from "../engine/journal.js";
import type { Restoration } from "../engine/restoration.js";
import type { Session } from "../engine/session.js";
import type { ApplicationMessage } from "../message.js";
import type { RecordJournal } from "../records/index.js";
import type { Durability, Store, StoreChange } from "../store/store.js";
import { BodyTable } from "./body-table.js";
import { ChangeCollector } from "./change-collector.js";
import { recordKey } from "./keys.js";
import { type LoadSummary, type RecordShelf, StateLoader } from "./load-state.js";
import { SessionLog } from "./session-log.js";

/** Unsynced bytes beyond which publishers wait. */
const UNSYNCED_BYTES_MAX = 8 * 1024 * 1024;
/** A commit that takes longer than this makes publishers wait. */
const SLOW_COMMIT_US = US_PER_S;
/** How long progress may stay unwritten that only saves repetitions. */
const LATE_US = 100 * US_PER_MS;
/** Of a queued message, besides its content. */
const ENTRY_BYTES = 32;
/** Of a service's record whose size is not known before the commit. */
const RECORD_BYTES = 512;

export interface DurableJournalOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Runs a task once the current turn of the event loop is over: everything that comes in one turn is one commit. */
  readonly schedule: (task: () => void) => void;
  /** Told when a write has failed, once. */
  readonly failed?: (error: FleetrigError) => void;
}

/** What the journal has done so far. */
export interface JournalStatistics {
  readonly commits: number;
  readonly commitSecondsSum: number;
  readonly writtenRecords: number;
  /** Sessions, topics and records that have changed and are not durable yet. */
  readonly pendingRecords: number;
}

/**
 * Writes the broker's state, and its services' records, down with *group commit*: at most one commit is on its way to the store; what changes
 * meanwhile becomes the next one, however much it is. So a fast disk gives short waits, a slow one large commits.
 * A commit is made of the state at its beginning, not of the changes that led there.
 */
export class DurableJournal implements Journal, RecordJournal {
  hasFailed = false;
  private readonly options: DurableJournalOptions;
  private readonly logs = new Map<Session, SessionLog>();
  private bodies = new BodyTable();
  private lastNumber = 0;
  /** Sessions whose changes somebody waits for. */
  private urgent = new Set<SessionLog>();
  private late = new Set<SessionLog>();
  private ended: SessionLog[] = [];
  private retained = new Map<string, ApplicationMessage | undefined>();
  private lateRetained = new Map<string, ApplicationMessage | undefined>();
  /** What the services have changed, by store key. */
  private records = new Map<string, () => JsonValue | undefined>();
  private isLateArmed = false;
  private needsCommit = false;
  private isCommitting = false;
  private isFrozen = false;
  /** Commits that the store has not answered. */
  private outstanding = 0;
  private drained: (() => void) | undefined;
  private committedAtUs = 0;
  private committingBytes = 0;
  private committingRecords = 0;
  private commits = 0;
  private commitSecondsSum = 0;
  private writtenRecords = 0;
  private pendingBytes = 0;
  /** Waiters for the next commit, for the one on its way, and those whose commit is done. */
  private waiting: CommitWaiter[] = [];
  private committing: CommitWaiter[] = [];
  private ready: CommitWaiter[] = [];
  private isTelling = false;
  private relieved: (() => void)[] = [];

  constructor(options: DurableJournalOptions) {
    this.options = options;
  }

  get durability(): Durability {
    return this.options.store.durability;
  }

  get isSettled(): boolean {
    return !this.needsCommit && !this.isCommitting && this.ready.length === 0;
  }

  get isCongested(): boolean {
    if (this.pendingBytes + this.committingBytes > UNSYNCED_BYTES_MAX) return true;
    return this.isCommitting && this.options.clock.nowUs() - this.committedAtUs > SLOW_COMMIT_US;
  }

  /**
   * Brings back what an earlier process stored; before the first report. Records go to `shelf`, sessions after them.
   * @throws FleetrigError `STORE_WRITE_FAILED` when damaged records cannot be moved aside.
   */
  async recover(restoration: Restoration, shelf?: RecordShelf): Promise<LoadSummary> {
    const { store, clock } = this.options;
    const loader = new StateLoader({ store, clock, restoration, ...(shelf !== undefined && { shelf }) });
    const { logs, bodies, lastNumber } = await loader.load();
    this.bodies = bodies;
    this.lastNumber = lastNumber;
    for (const log of logs) {
      this.logs.set(log.session, log);
      if (log.emptied !== undefined) this.soon(log);
    }
    shelf?.finish();
    restoration.finish();
    return loader.summary;
  }

  statistics(): JournalStatistics {
    const { commits, commitSecondsSum, writtenRecords } = this;
    const changed = this.urgent.size + this.ended.length + this.retained.size + this.records.size;
    const pendingRecords = changed + this.committingRecords;
    return { commits, commitSecondsSum, writtenRecords, pendingRecords };
  }

  afterCommit(waiter: CommitWaiter): void {
    if (this.hasFailed) waiter.failed();
    else if (this.needsCommit) this.waiting.push(waiter);
    else if (this.isCommitting) this.committing.push(waiter);
    else if (this.ready.length > 0) this.ready.push(waiter);
    else waiter.committed();
  }

  whenRelieved(task: () => void): void {
    if (this.isCongested && !this.hasFailed) this.relieved.push(task);
    else task();
  }

  sessionChanged(session: Session): void {
    if (this.isFrozen) return;
    let log = this.logs.get(session);
    if (log === undefined) {
      if (!isStorable(session)) return;
      log = this.begin(session);
    }
    log.identityChanged = true;
    this.now(log);
  }

  subscriptionChanged(session: Session, filter: string): void {
    const log = this.logOf(session);
    if (log === undefined) return;
    log.filterChanged(filter);
    this.now(log);
  }

  sessionEnded(session: Session): void {
    const log = this.logs.get(session);
    if (log === undefined || this.isFrozen) return;
    this.end(log);
    if (log.isStored) this.need();
  }

  flowChanged(session: Session, urgency: "now" | "soon"): void {
    const log = this.logOf(session);
    if (log === undefined) return;
    log.flowChanged = true;
    if (urgency === "now") this.now(log);
    else this.soon(log);
  }

  queued(session: Session, sequence: number, delivery: Delivery): void {
    const log = this.logOf(session);
    if (log === undefined) return;
    log.queue.push(sequence, delivery);
    this.bodies.queued(delivery.message);
    this.pendingBytes += ENTRY_BYTES + contentBytes(delivery.message);
    this.now(log);
  }

  removed(session: Session, sequence: number): void {
    const log = this.logOf(session);
    if (log === undefined) return;
    const removal = log.queue.remove(sequence);
    if (removal === "elided") return;
    if (removal !== "marked") log.segmentEmptied(removal.first);
    log.flowChanged = true;
    this.soon(log);
  }

  retainedChanged(topic: string, message: ApplicationMessage | undefined, qos: QoS): void {
    if (this.isFrozen) return;
    if (message !== undefined) this.pendingBytes += ENTRY_BYTES + contentBytes(message);
    if (qos === 0) {
      this.lateRetained.set(topic, message);
      this.armLate();
    } else {
      this.lateRetained.delete(topic);
      this.retained.set(topic, message);
      this.need();
    }
  }

  recordChanged(table: string, key: string, read: () => JsonValue | undefined): void {
    if (this.isFrozen) return;
    this.pendingBytes += RECORD_BYTES;
    this.records.set(recordKey(table, key), read);
    this.need();
  }

  /**
   * The broker is about to end: everything as it is now goes to the store, and nothing that is reported later.
   * Its sessions may be taken apart afterwards.
   */
  freeze(): void {
    if (this.isFrozen) return;
    this.takeLate();
    const changes = this.hasFailed ? [] : this.collect();
    this.isFrozen = true;
    this.waiting = [];
    if (changes.length === 0) return;
    this.outstanding += 1;
    this.options.store.commit(changes, (error) => {
      if (error !== undefined) this.fail(error);
      this.finished();
    });
  }

  /** Freezes, waits until everything is written and closes the store. */
  async close(): Promise<void> {
    this.freeze();
    if (this.outstanding > 0)
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    await this.options.store.close();
  }

  private logOf(session: Session): SessionLog | undefined {
    if (this.isFrozen) return undefined;
    return this.logs.get(session) ?? (isStorable(session) ? this.begin(session) : undefined);
  }

  private begin(session: Session): SessionLog {
    this.lastNumber += 1;
    const log = new SessionLog(session, this.lastNumber);
    this.logs.set(session, log);
    return log;
  }

  private end(log: SessionLog): void {
    this.logs.delete(log.session);
    this.urgent.delete(log);
    this.late.delete(log);
    if (!log.isStored) return;
    log.noteFilters();
    this.ended.push(log);
  }

  private now(log: SessionLog): void {
    this.urgent.add(log);
    if (!this.needsCommit) this.need();
  }

  private soon(log: SessionLog): void {
    if (this.urgent.has(log)) return;
    this.late.add(log);
    this.armLate();
  }

  private need(): void {
    if (this.needsCommit) return;
    this.needsCommit = true;
    if (!this.isCommitting) this.options.schedule(this.commit);
  }

  private armLate(): void {
    if (this.isLateArmed || this.hasFailed) return;
    this.isLateArmed = true;
    this.options.clock.after(LATE_US, () => {
      this.isLateArmed = false;
      if (this.isFrozen || !this.takeLate()) return;
      this.need();
    });
  }

  /** What could wait does not wait any longer. @returns whether there was anything. */
  private takeLate(): boolean {
    const { late, lateRetained } = this;
    if (late.size + lateRetained.size === 0) return false;
    for (const log of late) this.urgent.add(log);
    for (const [topic, message] of lateRetained) this.retained.set(topic, message);
    late.clear();
    lateRetained.clear();
    return true;
  }

  private readonly commit = (): void => {
    if (this.isCommitting || !this.needsCommit || this.isFrozen) return;
    this.needsCommit = false;
    const changes = this.collect();
    if (this.hasFailed) return;
    this.isCommitting = true;
    this.committing = this.waiting;
    this.waiting = [];
    if (changes.length === 0) {
      this.committed(undefined);
      return;
    }
    this.committingRecords = changes.length;
    this.committedAtUs = this.options.clock.nowUs();
    this.outstanding += 1;
    this.options.store.commit(changes, (error) => {
      this.committed(error);
      this.finished();
    });
  };

  private finished(): void {
    this.outstanding -= 1;
    if (this.outstanding === 0) this.drained?.();
  }

  /** By the state at this moment; what was queued and removed in the meantime is not part of it. */
  private collect(): readonly StoreChange[] {
    const { urgent, retained, records } = this;
    this.urgent = new Set();
    this.retained = new Map();
    this.records = new Map();
    this.pendingBytes = 0;
    const collector = new ChangeCollector(this.options.clock);
    for (const log of this.hasFailed ? [] : urgent) {
      if (this.late.size > 0) this.late.delete(log);
      if (isStorable(log.session)) collector.session(log, this.bodies);
      else this.end(log);
    }
    const { ended } = this;
    this.ended = [];
    if (this.hasFailed) return [];
    for (const log of ended) collector.ended(log);
    for (const [topic, message] of retained) collector.retained(topic, message);
    for (const [key, read] of records) collector.record(key, read());
    this.bodies.settle(collector.writeBody, collector.deleteBody);
    this.committingBytes = collector.bytes;
    return collector.changes;
  }

  private committed(error: FleetrigError | undefined): void {
    this.isCommitting = false;
    this.committingBytes = 0;
    this.countCommit();
    if (error !== undefined) {
      this.fail(error);
      return;
    }
    for (const waiter of this.committing) this.ready.push(waiter);
    this.committing = [];
    // The disk works on the next commit while clients are told about this one.
    if (this.needsCommit) this.commit();
    this.tell();
    if (this.relieved.length > 0 && !this.isCongested) this.relieve();
  }

  private countCommit(): void {
    if (this.committingRecords === 0) return;
    this.commits += 1;
    this.commitSecondsSum += (this.options.clock.nowUs() - this.committedAtUs) / US_PER_S;
    this.writtenRecords += this.committingRecords;
    this.committingRecords = 0;
  }

  /** Tells everybody whose commit is done, in order; they may cause further commits meanwhile. */
  private tell(): void {
    if (this.isTelling) return;
    this.isTelling = true;
    try {
      for (let i = 0; i < this.ready.length; i += 1) this.ready[i]!.committed();
    } finally {
      this.ready = [];
      this.isTelling = false;
    }
  }

  private relieve(): void {
    const tasks = this.relieved;
    this.relieved = [];
    for (const task of tasks) task();
  }

  /** What is on the device is unknown from here on: nothing is promised any more, and nothing written. */
  private fail(error: FleetrigError): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.options.failed?.(error);
    const waiters = [...this.committing, ...this.waiting];
    this.committing = [];
    this.waiting = [];
    for (const waiter of waiters) waiter.failed();
    this.collect();
    this.needsCommit = false;
    this.relieve();
  }
}

/** Does this session outlive its connection, or leave a will behind? */
const isStorable = (session: Session): boolean =>
  session.expiryS > 0 || session.connection?.will !== undefined;

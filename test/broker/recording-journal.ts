import type { BrokerOptions } from "fleetrig/broker";

type Journal = NonNullable<BrokerOptions["journal"]>;
type Waiter = Parameters<Journal["afterCommit"]>[0];
type Session = Parameters<Journal["queued"]>[0];
type Delivery = Parameters<Journal["queued"]>[2];
type StoredFlow = Parameters<Session["restore"]>[0];

const copyOf = ({ lastPacketId, inflight, received }: Session["flow"]): Session["flow"] => ({
  lastPacketId,
  inflight: [...inflight],
  received: [...received],
});

/** A journal in memory that commits when it is told to, and knows what a broker that died would find. */
export class RecordingJournal implements Journal {
  isSettled = true;
  hasFailed = false;
  readonly isCongested = false;
  /** `queued 1`, `removed 1`, `flow now`...: every report, in order. */
  readonly reports: string[] = [];
  private readonly messages = new Map<string, Map<number, Delivery>>();
  private readonly changed = new Set<Session>();
  private waiters: Waiter[] = [];

  /** @param disk What is committed, by client id. */
  constructor(readonly disk: Map<string, StoredFlow> = new Map()) {
    for (const [clientId, { messages }] of disk)
      this.messages.set(clientId, new Map(messages.map(({ sequence, delivery }) => [sequence, delivery])));
  }

  /** Everything reported so far reaches the disk; whoever waited for that is told. */
  commit(): void {
    for (const session of this.changed) {
      const messages = [...(this.messages.get(session.clientId) ?? [])];
      this.disk.set(session.clientId, {
        flow: copyOf(session.flow),
        messages: messages.map(([sequence, delivery]) => ({ sequence, delivery })),
      });
    }
    this.changed.clear();
    this.isSettled = true;
    for (const waiter of this.waiters.splice(0)) waiter.committed();
  }

  fail(): void {
    this.hasFailed = true;
    for (const waiter of this.waiters.splice(0)) waiter.failed();
  }

  afterCommit(waiter: Waiter): void {
    this.waiters.push(waiter);
  }

  whenRelieved(task: () => void): void {
    task();
  }

  flowChanged(session: Session, urgency: "now" | "soon"): void {
    this.reports.push(`flow ${urgency}`);
    this.changed.add(session);
    if (urgency === "now") this.isSettled = false;
  }

  queued(session: Session, sequence: number, delivery: Delivery): void {
    this.reports.push(`queued ${sequence}`);
    const known = this.messages.get(session.clientId) ?? new Map<number, Delivery>();
    this.messages.set(session.clientId, known.set(sequence, delivery));
    this.changed.add(session);
    this.isSettled = false;
  }

  removed(session: Session, sequence: number): void {
    this.reports.push(`removed ${sequence}`);
    this.messages.get(session.clientId)!.delete(sequence);
    this.changed.add(session);
  }

  sessionChanged(): void {}
  subscriptionChanged(): void {}
  sessionEnded(): void {}
  retainedChanged(_topic: string, message: Parameters<Journal["retainedChanged"]>[1]): void {
    this.reports.push(message === undefined ? "retained cleared" : "retained set");
  }
  freeze(): void {}
}

import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "fleetrig/kernel";
import { type BrokerReport, SoakProcess } from "./soak-process.js";
import { SoakPublisher } from "./soak-publisher.js";
import { SoakSubscriber, Tally } from "./soak-subscriber.js";
import { SoakVisitor } from "./soak-visitor.js";

/** The soak on sockets: a broker in a process of its own under steady load, and clients that come and go. */
const PUBLISHERS = 200;
const SUBSCRIBERS = 100;
const SLOW = 5;
const MESSAGES_PER_S = 5_000;
const RECONNECTS_PER_S = 50;
const SUBSCRIPTION_CHANGES_PER_S = 20;
const TICK_MS = 5;
const SAMPLE_MS = 5_000;
const AWAY_MS = 200;
/** A slow reader reads nothing for so long, then everything for so long. */
const STALL_MS = 40_000;
const CATCH_UP_MS = 18_000;
/** By then it has read what came before its connection ended. */
const RENEW_MS = 2_000;
const DRAIN_MS = 60_000;
/** Longer than any session, will or retained message of the soak lives, and than the broker's sweeps take. */
const AFTERMATH_MS = 135_000;

export interface RealSample {
  readonly atMinutes: number;
  readonly report: BrokerReport;
}

export interface RealSoak {
  readonly samples: readonly RealSample[];
  readonly sent: number;
  readonly sentPerS: number;
  readonly sentQos1: number;
  readonly receivedQos1: number;
  /** Acknowledged by the broker and never delivered. */
  readonly lostQos1: number;
  readonly repeatedQos1: number;
  readonly receivedQos0: number;
  readonly sentQos0: number;
  readonly connects: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** After everybody has left and what they left behind has expired. */
  readonly aftermath: BrokerReport;
  /** Its process ended by itself after `stop`. */
  readonly hasEnded: boolean;
}

export interface RealSoakOptions {
  readonly minutes: number;
  sampled?(sample: RealSample): void;
}

export async function soakForReal(options: RealSoakOptions): Promise<RealSoak> {
  const broker = await SoakProcess.start();
  try {
    return await new RealRun(broker, options).run();
  } finally {
    broker.kill();
  }
}

class RealRun {
  private readonly random = Random.seeded("soak");
  private readonly tally = new Tally();
  private readonly publishers: SoakPublisher[] = [];
  private readonly subscribers: SoakSubscriber[] = [];
  private readonly slow: SoakSubscriber[] = [];
  private readonly samples: RealSample[] = [];
  private readonly noise = new Map<SoakSubscriber, readonly string[]>();
  private visitors = 0;
  private published = 0;

  constructor(
    private readonly broker: SoakProcess,
    private readonly options: RealSoakOptions,
  ) {
    const { port } = broker;
    for (let ordinal = 0; ordinal < PUBLISHERS; ordinal += 1)
      this.publishers.push(new SoakPublisher(port, ordinal));
    const { tally } = this;
    for (let ordinal = 0; ordinal < SUBSCRIBERS - SLOW; ordinal += 1) {
      const filters = this.publishers
        .filter((publisher) => this.readerOf(publisher) === ordinal)
        .map(({ ordinal: own, topic }) => (own % 2 === 0 ? topic : `soak/+/${own}/#`));
      this.subscribers.push(new SoakSubscriber({ port, ordinal, filters, tally }));
    }
    for (let ordinal = 0; ordinal < SLOW; ordinal += 1) {
      const filters = [`soak/${ordinal}/#`, `soak/${ordinal + SLOW}/#`];
      this.slow.push(new SoakSubscriber({ port, ordinal: SUBSCRIBERS + ordinal, filters, tally: undefined }));
    }
  }

  async run(): Promise<RealSoak> {
    for (const client of this.everybody()) client.connect();
    await until(() => [...this.subscribers, ...this.slow].every(({ isReady }) => isReady));
    await until(() => this.publishers.every(({ isOpen }) => isOpen));
    const seconds = await this.load();
    for (const client of [...this.publishers, ...this.subscribers]) if (!client.isOpen) client.connect();
    await until(() => this.publishers.every(({ isDone }) => isDone));
    await until(() => this.missing() === 0).catch(() => undefined);
    const lostQos1 = this.missing() + this.tally.lost;
    const { statistics } = await this.broker.report();
    for (const client of this.everybody()) client.leave();
    await sleep(AFTERMATH_MS);
    const aftermath = await this.broker.report();
    const hasEnded = await this.broker.stop();
    const { tally, samples } = this;
    const sum = (qos: 0 | 1): number => this.publishers.reduce((total, { sent }) => total + sent[qos], 0);
    return {
      samples,
      sent: sum(0) + sum(1),
      sentPerS: (sum(0) + sum(1)) / seconds,
      sentQos0: sum(0),
      sentQos1: sum(1),
      receivedQos0: tally.received[0],
      receivedQos1: tally.received[1],
      lostQos1,
      repeatedQos1: tally.repeated,
      connects: statistics.connected,
      p50Ms: tally.quantile(0.5),
      p99Ms: tally.quantile(0.99),
      aftermath,
      hasEnded,
    };
  }

  private everybody(): (SoakPublisher | SoakSubscriber)[] {
    return [...this.publishers, ...this.subscribers, ...this.slow];
  }

  private readerOf({ ordinal }: SoakPublisher): number {
    return ordinal % (SUBSCRIBERS - SLOW);
  }

  /** QoS 1 messages that are acknowledged and not with their subscriber. */
  private missing(): number {
    return this.publishers.reduce((total, publisher) => {
      const reader = this.subscribers[this.readerOf(publisher)]!;
      return total + publisher.sent[1] - reader.receivedOf(publisher.ordinal);
    }, 0);
  }

  /** @returns for how many seconds it went on. */
  private async load(): Promise<number> {
    const startMs = performance.now();
    const endMs = startMs + this.options.minutes * 60_000;
    const stalls = this.slow.map((client, index) => this.stallInTurn(client, index));
    let churned = 0;
    let changed = 0;
    let sampleAtMs = startMs;
    let sampling: Promise<void> | undefined;
    for (;;) {
      const nowMs = performance.now();
      if (nowMs >= endMs) break;
      const elapsedS = (nowMs - startMs) / 1_000;
      for (const due = elapsedS * MESSAGES_PER_S; this.published < due; this.published += 1)
        this.publishers[this.published % PUBLISHERS]!.publish();
      for (; churned < elapsedS * RECONNECTS_PER_S; churned += 1) this.churn(churned);
      for (; changed < elapsedS * SUBSCRIPTION_CHANGES_PER_S; changed += 1) this.changeSubscription();
      if (nowMs >= sampleAtMs) {
        sampleAtMs += SAMPLE_MS;
        await sampling;
        sampling = this.sample(elapsedS / 60);
      }
      await sleep(TICK_MS);
    }
    await sampling;
    for (const stop of stalls) stop();
    return (performance.now() - startMs) / 1_000;
  }

  private async sample(atMinutes: number): Promise<void> {
    const sample = { atMinutes, report: await this.broker.report() };
    this.samples.push(sample);
    this.options.sampled?.(sample);
  }

  private churn(turn: number): void {
    const { random } = this;
    if (turn % 2 === 0) {
      void new SoakVisitor(random, this.broker.port, this.visitors++);
      return;
    }
    const client = random.chance(0.6) ? random.pick(this.publishers) : random.pick(this.subscribers);
    if (!client.isOpen) return;
    const how = random.fraction();
    if (how < 0.4) client.cut();
    else if (how < 0.8) client.leave();
    if (how < 0.8) setTimeout(() => client.connect(), random.below(AWAY_MS));
    else client.connect();
  }

  /** What is subscribed to grows no more once everybody has had a turn. */
  private changeSubscription(): void {
    const { random, noise } = this;
    const client = random.pick(this.subscribers);
    if (!client.isOpen) return;
    const filters = [`noise/${random.below(1_000)}/+`, `noise/${random.below(1_000)}`];
    const before = noise.get(client);
    if (before !== undefined) client.unsubscribe(before);
    client.subscribe(filters);
    noise.set(client, filters);
  }

  /** @returns a function that ends it. */
  private stallInTurn(client: SoakSubscriber, index: number): () => void {
    let isStalled = false;
    let timer: NodeJS.Timeout;
    const change = (): void => {
      isStalled = !isStalled;
      client.stall(isStalled);
      timer = setTimeout(isStalled ? change : renew, isStalled ? STALL_MS : RENEW_MS);
    };
    // The broker has ended the connection of whoever was too slow for too long.
    const renew = (): void => {
      if (!client.isOpen) client.connect();
      timer = setTimeout(change, CATCH_UP_MS);
    };
    timer = setTimeout(change, (index * STALL_MS) / SLOW);
    return () => clearTimeout(timer);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + DRAIN_MS;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error("the soak waited in vain");
    await sleep(20);
  }
}

import fc from "fast-check";
import type { PublishPacket } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient, VARIANTS } from "./bench.js";

const STEPS = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ do: fc.constant("acknowledge" as const), pick: fc.nat(10) }),
    fc.record({ do: fc.constant("lose" as const) }),
    fc.record({ do: fc.constant("reconnect" as const), receiveMaximum: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant("stall" as const), isSlow: fc.boolean() }),
    fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 5 }) }),
  ),
  { maxLength: 60 },
);

type Steps = typeof STEPS extends fc.Arbitrary<infer Value> ? Value : never;

/** One persistent subscriber through any history, and everything it ever received, in order. */
class Subscriber {
  readonly received: PublishPacket[] = [];
  private client: TestClient;
  private isOnline = true;
  private unacknowledged: PublishPacket[] = [];
  private taken = 0;

  constructor(
    private readonly bench: Bench,
    private readonly protocolVersion: 4 | 5,
  ) {
    this.client = this.dial(65_535);
    this.client.subscribe(["t"]);
  }

  collect(): void {
    const fresh = this.client.publishes.slice(this.taken);
    this.taken += fresh.length;
    this.received.push(...fresh);
    this.unacknowledged.push(...fresh);
  }

  acknowledge(pick: number): void {
    const [packet] = this.unacknowledged.splice(pick % Math.max(1, this.unacknowledged.length), 1);
    if (packet !== undefined && this.isOnline) this.client.acknowledge(packet);
  }

  lose(): void {
    if (this.isOnline) this.client.lose();
    this.isOnline = false;
    this.unacknowledged = [];
  }

  reconnect(receiveMaximum: number): void {
    this.client = this.dial(receiveMaximum);
    this.isOnline = true;
    this.unacknowledged = [];
    this.taken = 0;
  }

  stall(isSlow: boolean): void {
    this.client.bufferedBytes = isSlow ? 2 ** 20 : 0;
  }

  /** Reads and acknowledges until nothing comes any more. */
  drain(): void {
    this.stall(false);
    this.bench.advanceS(1);
    for (let idle = 0; idle < 2; ) {
      this.collect();
      if (this.unacknowledged.length === 0) idle += 1;
      else idle = 0;
      while (this.unacknowledged.length > 0) this.acknowledge(0);
      this.bench.advanceS(1);
    }
  }

  private dial(receiveMaximum: number): TestClient {
    const { protocolVersion } = this;
    const session = { cleanStart: false, sessionExpiryS: 86_400, keepAliveS: 1200 };
    return this.bench.connect("subscriber", { protocolVersion, receiveMaximum, ...session });
  }
}

function play(steps: Steps, subscriber: Subscriber, bench: Bench): number {
  const publisher = bench.connect("publisher", { keepAliveS: 1200 });
  let published = 0;
  for (const step of steps) {
    if (step.do === "publish")
      for (let n = 0; n < step.count; n += 1) publisher.publish("t", String(published++));
    else if (step.do === "acknowledge") subscriber.acknowledge(step.pick);
    else if (step.do === "lose") subscriber.lose();
    else if (step.do === "reconnect") subscriber.reconnect(step.receiveMaximum);
    else if (step.do === "stall") subscriber.stall(step.isSlow);
    else bench.advanceS(step.seconds);
    subscriber.collect();
  }
  subscriber.reconnect(10);
  subscriber.drain();
  return published;
}

describe.each(VARIANTS)("QoS 1 delivery ($profile, protocol level $protocolVersion)", (variant) => {
  it("reaches a persistent session at least once and first in order, whatever happens to its connection", () => {
    fc.assert(
      fc.property(STEPS, fc.constantFrom(0, 5), (steps, resumeRate) => {
        const limits = { resumeRate, persistentSessionS: 86_400, writeDeadlineS: 3 };
        const bench = new Bench({ profile: variant.profile, limits });
        const subscriber = new Subscriber(bench, variant.protocolVersion);
        const published = play(steps, subscriber, bench);
        const numbers = subscriber.received.map(({ payload }) => Number(Buffer.from(payload)));
        expect([...new Set(numbers)]).toEqual(Array.from({ length: published }, (_, i) => i));
        const firsts = subscriber.received.filter(({ dup }) => !dup);
        expect(new Set(firsts.map(({ payload }) => String(Buffer.from(payload)))).size).toBe(firsts.length);
        expect(bench.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0, dropped: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

describe("ordering at scale", () => {
  it("has no inversion over 2,000 reconnects under continuous traffic", () => {
    const bench = new Bench({ limits: { resumeRate: 0 } });
    const publisher = bench.connect("publisher", { keepAliveS: 1200 });
    const subscriber = new Subscriber(bench, 5);
    let published = 0;
    for (let round = 0; round < 2_000; round += 1) {
      if (round % 3 === 0) subscriber.lose();
      for (let n = 0; n < 10; n += 1) publisher.publish("t", String(published++));
      if (round % 3 !== 1) subscriber.reconnect(1 + (round % 20));
      subscriber.collect();
      for (let n = 0; n < 8; n += 1) subscriber.acknowledge(0);
      subscriber.collect();
    }
    subscriber.reconnect(100);
    subscriber.drain();
    const firsts = subscriber.received
      .filter(({ dup }) => !dup)
      .map(({ payload }) => Number(Buffer.from(payload)));
    expect(firsts).toEqual(Array.from({ length: published }, (_, i) => i));
    expect(bench.broker.statistics().dropped).toBe(0);
  });
});

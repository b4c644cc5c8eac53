import fc from "fast-check";
import type { BrokerLimits } from "fleetrig/broker";
import type { QoS } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Bench } from "./bench.js";
import { Peer } from "./peer.js";
import { RecordingJournal } from "./recording-journal.js";

const NAMES = ["a", "b"] as const;
type Name = (typeof NAMES)[number];

const PATHS = NAMES.flatMap((from) => NAMES.map((to) => [from, to] as const));

const WHO = { who: fc.constantFrom(...NAMES) };
const COUNT = { count: fc.integer({ min: 1, max: 6 }) };
const STEP = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("publish"), ...WHO, qos: fc.constantFrom<QoS>(0, 1, 2) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("up"), ...WHO, ...COUNT }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("down"), ...WHO, ...COUNT }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose"), ...WHO }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("connect"), ...WHO }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash") }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

const VARIANT = fc.record({
  protocolVersion: fc.constantFrom<4 | 5>(4, 5),
  receiveMaximum: fc.integer({ min: 1, max: 5 }),
  sendMaximum: fc.integer({ min: 1, max: 5 }),
  isDurable: fc.boolean(),
});
type Variant = typeof VARIANT extends fc.Arbitrary<infer Value> ? Value : never;

/** Two peers that publish to both of them through one broker, which may die. */
class World {
  readonly peers: Readonly<Record<Name, Peer>>;
  private readonly limits: Partial<BrokerLimits>;
  private journal: RecordingJournal | undefined;
  private bench: Bench;

  constructor({ isDurable, ...variant }: Variant) {
    const maxInflight = variant.protocolVersion === 4 ? variant.receiveMaximum : 100;
    this.limits = { receiveMaximum: variant.sendMaximum, maxInflight };
    this.journal = isDurable ? new RecordingJournal() : undefined;
    this.bench = this.startBroker();
    this.peers = {
      a: new Peer({ clientId: "a", ...variant }),
      b: new Peer({ clientId: "b", ...variant }),
    };
    for (const name of NAMES) this.introduce(name);
    for (const name of NAMES) this.connect(name);
  }

  play(step: Step): void {
    if (step.do === "commit") this.journal?.commit();
    else if (step.do === "crash") this.crash();
    else this.act(step);
  }

  /** Reconnects everybody and lets everything through until nothing moves. */
  settle(): void {
    for (const name of NAMES) this.peers[name].connect(this.bench.broker);
    for (let moved = 1; moved > 0; ) {
      moved = 0;
      for (const name of NAMES)
        moved += this.peers[name].deliverUp(1_000) + this.peers[name].deliverDown(1_000);
      if (this.journal?.isSettled === false) moved += 1;
      this.journal?.commit();
    }
  }

  private act(step: {
    readonly do: string;
    readonly who: Name;
    readonly qos?: QoS;
    readonly count?: number;
  }): void {
    const peer = this.peers[step.who];
    const { qos = 0, count = 0 } = step;
    if (step.do === "publish") peer.publish(qos);
    else if (step.do === "up") peer.deliverUp(count);
    else if (step.do === "down") peer.deliverDown(count);
    else if (step.do === "lose") peer.lose();
    else this.connect(step.who);
  }

  private connect(name: Name): void {
    this.peers[name].connect(this.bench.broker);
    this.peers[name].deliverDown(1);
  }

  private startBroker(): Bench {
    const { limits, journal } = this;
    return new Bench({ profile: "oasis", limits, ...(journal === undefined ? {} : { journal }) });
  }

  /** `kill -9` and a new start from what was committed. */
  private crash(): void {
    if (this.journal === undefined) return;
    for (const name of NAMES) this.peers[name].lose();
    const { disk } = this.journal;
    // The dying broker noticed the lost links, and would have written that down: take what was there before.
    this.journal = new RecordingJournal(disk);
    this.bench = this.startBroker();
    for (const name of NAMES) {
      this.introduce(name);
      this.peers[name].lose();
    }
    for (const session of this.bench.broker.sessions()) {
      const stored = disk.get(session.clientId);
      if (stored !== undefined) session.restore(stored);
    }
    for (const name of NAMES) this.connect(name);
  }

  /** A session with its subscription, before there is any traffic. */
  private introduce(name: Name): void {
    const guest = this.bench.connect(name, {
      protocolVersion: 4,
      cleanStart: false,
    });
    guest.subscribe([{ filter: "+/+", qos: 2 }]);
    guest.lose();
  }
}

/** Two exchanges of earlier connections end while the client may send one publish at a time. */
const CARRIED_OVER: [Variant, Step[]] = [
  { protocolVersion: 5, receiveMaximum: 1, sendMaximum: 1, isDurable: false },
  [
    ...Array.from({ length: 5 }, (): Step => ({ do: "publish", who: "a", qos: 2 })),
    { do: "up", who: "a", count: 1 },
    { do: "down", who: "a", count: 2 },
    { do: "connect", who: "a" },
    { do: "up", who: "a", count: 2 },
    { do: "down", who: "a", count: 2 },
    { do: "up", who: "a", count: 2 },
    { do: "down", who: "a", count: 3 },
    { do: "publish", who: "a", qos: 2 },
  ],
];

const isSubsequence = (part: readonly string[], whole: readonly string[]): boolean => {
  let at = 0;
  for (const item of whole) if (item === part[at]) at += 1;
  return at === part.length;
};

describe("two clients, three qualities of service, links that break and a broker that dies", () => {
  it("QoS 2 arrives exactly once, QoS 1 at least once, QoS 0 at most once, each in order [MQTT-4.3.3-10]", () => {
    fc.assert(
      fc.property(VARIANT, fc.array(STEP, { maxLength: 100, size: "max" }), (variant, steps) => {
        const world = new World(variant);
        const { peers } = world;
        for (const step of steps) {
          world.play(step);
          for (const [from, to] of PATHS) {
            const { published, wasExpelled } = peers[from];
            const received = peers[to].receivedOn(`${from}/2`);
            expect(received).toEqual(published[2].slice(0, received.length));
            expect(wasExpelled).toBe(false);
          }
        }
        world.settle();
        for (const [from, to] of PATHS) {
          const { published } = peers[from];
          const received = ([0, 1, 2] as const).map((qos) => peers[to].receivedOn(`${from}/${qos}`));
          expect(isSubsequence(received[0]!, published[0])).toBe(true);
          expect([...new Set(received[1])]).toEqual(published[1]);
          expect(received[2]).toEqual(published[2]);
          expect(peers[to].isIdle).toBe(true);
        }
      }),
      { numRuns: 250, examples: [CARRIED_OVER] },
    );
  });
});

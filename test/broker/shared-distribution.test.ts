import fc from "fast-check";
import type { SharedStrategy } from "fleetrig/broker";
import { describe, expect, it } from "vitest";
import { Bench, type TestClient } from "./bench.js";

const FILTER = "$share/g/jobs/+";
const MEMBERS = 5;
const AWAY = { cleanStart: false, sessionExpiryS: 3600, receiveMaximum: 3 };

type Step =
  | { readonly do: "publish"; readonly count: number }
  | { readonly do: "join" | "leave" | "kill" | "discard" | "acknowledge"; readonly member: number };

const member = fc.nat(MEMBERS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 8 }) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom("join", "leave", "kill", "discard", "acknowledge"),
        member,
      }) as fc.Arbitrary<Step>,
    },
  ),
  { maxLength: 60 },
);

/** A group that comes and goes; what a member acknowledged is done, everything else still has to be. */
class Group {
  readonly bench: Bench;
  readonly acknowledged = new Map<string, number>();
  readonly members: (TestClient | undefined)[] = [];
  published = 0;

  constructor(sharedStrategy: SharedStrategy, sharedRedelivery: boolean) {
    this.bench = new Bench({ profile: "oasis", features: { sharedStrategy, sharedRedelivery } });
    // Never leaves, and is never there: what nobody else can take waits for it.
    const keeper = this.bench.connect("keeper", AWAY);
    keeper.subscribe([FILTER]);
    keeper.lose();
  }

  take(step: Step): void {
    if (step.do === "publish") {
      for (let i = 0; i < step.count; i += 1) {
        this.bench.broker.publish({ topic: "jobs/x", payload: `${this.published}`, qos: 1 });
        this.published += 1;
      }
      return;
    }
    const client = this.members[step.member];
    if (step.do === "join") this.join(step.member);
    else if (client === undefined) return;
    else if (step.do === "leave") client.unsubscribe(FILTER);
    else if (step.do === "acknowledge") this.acknowledge(client);
    else {
      if (step.do === "kill") client.lose();
      else client.disconnect({ sessionExpiryS: 0 });
      this.members[step.member] = undefined;
    }
  }

  /** Everybody comes back, subscribes and works until nothing is left. */
  finish(): void {
    for (let i = 0; i < MEMBERS; i += 1) this.join(i);
    this.members.push(this.bench.connect("keeper", AWAY));
    for (let round = 0; round < 2000 && this.work(); round += 1);
  }

  private work(): boolean {
    let isBusy = false;
    for (const client of this.members) if (client !== undefined && this.acknowledge(client)) isBusy = true;
    return isBusy;
  }

  private join(index: number): void {
    const client = this.members[index] ?? this.bench.connect(`m${index}`, AWAY);
    this.members[index] = client;
    client.subscribe([FILTER]);
  }

  private acknowledge(client: TestClient): boolean {
    const packets = client.publishes;
    client.clear();
    for (const packet of packets) {
      const payload = Buffer.from(packet.payload).toString();
      this.acknowledged.set(payload, (this.acknowledged.get(payload) ?? 0) + 1);
      client.acknowledge(packet);
    }
    return packets.length > 0;
  }
}

describe("a share group whose members come and go", () => {
  it.each([
    ["random", true],
    ["round-robin", true],
    ["least-inflight", true],
    ["sticky", true],
    ["round-robin", false],
  ] as const)(
    "gets every QoS 1 message acknowledged exactly once: %s, redelivery %s",
    (strategy, redelivery) => {
      fc.assert(
        fc.property(steps, (sequence) => {
          const group = new Group(strategy, redelivery);
          for (const step of sequence) group.take(step);
          group.finish();
          const expected = Array.from({ length: group.published }, (_, i) => [`${i}`, 1]);
          const sorted = [...group.acknowledged].sort(([a], [b]) => Number(a) - Number(b));
          expect(sorted).toEqual(expected);
          expect(group.bench.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
        }),
        { numRuns: 60 },
      );
    },
  );

  it("loses nothing of 20,000 messages while a random member dies every 20 messages", () => {
    const group = new Group("random", true);
    for (let i = 0; i < MEMBERS; i += 1) group.take({ do: "join", member: i });
    for (let round = 0; round < 1000; round += 1) {
      group.take({ do: "publish", count: 20 });
      const victim = (round * 7919) % MEMBERS;
      group.take({ do: round % 3 === 0 ? "discard" : "kill", member: victim });
      for (let i = 0; i < MEMBERS * 2; i += 1) group.take({ do: "acknowledge", member: i % MEMBERS });
      group.take({ do: "join", member: victim });
    }
    group.finish();
    expect(group.acknowledged.size).toBe(20_000);
    expect(new Set(group.acknowledged.values())).toEqual(new Set([1]));
  });
});

import { Random } from "fleetrig/kernel";
import type { QoS } from "fleetrig/protocol";
import { describe, expect, it } from "vitest";
import { Peer } from "../broker/peer.js";
import { DurableBench } from "./durable-bench.js";

/** Runs, and steps of each; a step in thirty is a death of the broker. */
const RUNS = 40;
const STEPS = 300;
const NAMES = ["a", "b", "c", "d"] as const;
type Name = (typeof NAMES)[number];

interface World {
  bench: DurableBench;
  readonly peers: Readonly<Record<Name, Peer>>;
  crashes: number;
}

const peerOf = (clientId: string, random: Random): Peer =>
  new Peer({
    clientId,
    protocolVersion: random.chance(0.5) ? 5 : 4,
    receiveMaximum: 1 + random.below(6),
    sendMaximum: 8,
  });

async function open(random: Random): Promise<World> {
  const limits = { receiveMaximum: 8, maxInflight: 1 + random.below(8) };
  const bench = await DurableBench.open({ profile: "oasis", limits });
  const peers = Object.fromEntries(NAMES.map((name) => [name, peerOf(name, random)])) as World["peers"];
  for (const name of NAMES) {
    const guest = bench.connect(name, { protocolVersion: 4, cleanStart: false });
    guest.subscribe([{ filter: "+/+", qos: 2 }]);
    bench.settle();
    guest.lose();
    peers[name].connect(bench.broker);
  }
  return { bench, peers, crashes: 0 };
}

async function die(world: World, random: Random): Promise<void> {
  world.crashes += 1;
  const dying = world.bench;
  world.bench = await dying.crash(random.below(3), random);
  // The broker that died does not see its links go.
  for (const name of NAMES) {
    world.peers[name].abandon();
    if (random.chance(0.7)) world.peers[name].connect(world.bench.broker);
  }
}

async function step(world: World, random: Random): Promise<void> {
  const { bench, peers } = world;
  const peer = peers[random.pick(NAMES)];
  const dice = random.below(30);
  if (dice < 9) peer.publish(random.pick<QoS>([0, 1, 2]));
  else if (dice < 15) peer.deliverUp(1 + random.below(6));
  else if (dice < 21) peer.deliverDown(1 + random.below(6));
  else if (dice < 23) bench.endTurn();
  else if (dice < 26) bench.disk.sync(1);
  else if (dice < 27) bench.advanceS(0.05);
  else if (dice < 28) peer.connect(bench.broker);
  else if (dice < 29) peer.lose();
  else await die(world, random);
}

/** Reconnects everybody and lets everything through until nothing moves. */
function settle({ bench, peers }: World): void {
  for (const name of NAMES) peers[name].connect(bench.broker);
  for (let moved = 1; moved > 0; ) {
    moved = 0;
    for (const name of NAMES) moved += peers[name].deliverUp(1_000) + peers[name].deliverDown(1_000);
    if (!bench.journal.isSettled) moved += 1;
    bench.settle();
  }
  bench.advanceS(0.2);
  bench.settle();
}

describe("a broker that dies at any moment", () => {
  it("keeps every promise: QoS 2 exactly once, QoS 1 at least once, in order; and leaves nothing behind", async () => {
    let crashes = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const random = Random.seeded(`crash model ${run}`);
      const world = await open(random);
      for (let i = 0; i < STEPS; i += 1) await step(world, random);
      settle(world);
      for (const from of NAMES)
        for (const to of NAMES) {
          const { published } = world.peers[from];
          const path = `run ${run}, ${from} to ${to}`;
          const once = world.peers[to].receivedOn(`${from}/2`);
          expect(once, path).toEqual(published[2]);
          expect([...new Set(world.peers[to].receivedOn(`${from}/1`))], path).toEqual(published[1]);
        }
      const left = [...world.bench.disk.records.keys()].filter((key) => /^[qb]\//.test(key));
      expect(left, `run ${run}`).toEqual([]);
      crashes += world.crashes;
    }
    expect(crashes).toBeGreaterThan(RUNS * 5);
  });
});

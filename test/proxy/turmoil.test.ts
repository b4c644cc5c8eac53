import { createRandomSource, Random } from "fleetrig/kernel";
import { type AppliedFault, parseFaultText } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { connectPacket, type Peer, ProxyRig, publish, until } from "./proxy-rig.js";

const FAULTS = [
  "latency=50ms,jitter=50ms",
  "bandwidth=64kbit/s",
  "loss=30%",
  "stall=2s",
  "blackhole",
  "reset",
  "flap=1s,up=2s",
  "refuse=50%",
  "no-connack",
  "drop-publish,probability=50%",
  "slice=3,gap=1ms",
  "limit=150",
  "corrupt=20%",
];

const STEPS = 400;

/** What may happen to one end of a connection. */
const DEEDS: readonly ((peer: Peer) => void)[] = [
  (peer) => peer.socket.writable && peer.send(publish("x".repeat(40))),
  (peer) => peer.socket.writable && peer.socket.write(Buffer.from("00ff3f", "hex")),
  (peer) => peer.socket.end(),
  (peer) => peer.socket.destroy(),
  (peer) => peer.socket.resetAndDestroy(),
];

describe("a fault proxy in turmoil", () => {
  it.each([1, 2, 3, 4, 5])("forgets no connection, whatever ends first, seed %i", async (seed) => {
    const random = Random.seeded(`turmoil/${seed}`);
    const rig = await new ProxyRig().start({ random: createRandomSource(seed) });
    const applied: AppliedFault[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      const { clients, target } = rig;
      const dice = random.below(10);
      if (dice < 2) (await rig.dial()).send(connectPacket(`dev-${random.below(5)}`));
      else if (dice === 2) applied.push(rig.proxy.apply(parseFaultText(random.pick(FAULTS))));
      else if (dice === 3) applied.splice(random.below(applied.length + 1), 1)[0]?.clear();
      else if (dice === 4) rig.time.advance(random.below(1_000_000));
      else if (dice < 8 && clients.length > 0) random.pick(DEEDS)(random.pick(clients));
      else if (target.peers.length > 0) random.pick(DEEDS)(random.pick(target.peers));
      await new Promise((resolve) => setImmediate(resolve));
    }
    rig.proxy.clear();
    for (const { socket } of [...rig.clients, ...rig.target.peers]) socket.destroy();
    await until(() => {
      rig.time.advance(1_000_000);
      for (const { socket } of rig.target.peers) socket.destroy();
      return rig.proxy.counters().connections.open === 0;
    });
    expect(rig.proxy.counters().connections.accepted).toBe(rig.clients.length);
    await rig.stop();
  });
});

import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { type PacketLink, wireBytes } from "fleetrig/protocol";
import { createMemoryDialer, LinkFaults, parseFaultText, PERFECT_LINK } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { connectPacket, ProxyRig, publish, until } from "./proxy-rig.js";

const SEED = 42;
const MESSAGES = 200;
const THING = "dev-7";

const payloads = Array.from({ length: MESSAGES }, (_, n) => String(n));
const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString();

interface Delivered {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** What a scenario's device with that fault sends and hears: a link in memory, streams named after the thing. */
function throughMemory(text: string): Delivered {
  const { fault, detail = {} } = parseFaultText(text);
  const time = new VirtualTime();
  const clock = time.lane(LANE.firstDevice);
  const random = createRandomSource(SEED);
  const stream = (purpose: string) => random.stream(`thing/${THING}/${purpose}`);
  const faults = new LinkFaults({ clock, random: stream });
  const up: string[] = [];
  const down: string[] = [];
  const hear = (heard: string[]) => ({
    received: (packet: ReturnType<typeof publish>) =>
      void (packet.type === "publish" && heard.push(textOf(packet.payload))),
    closed: () => undefined,
  });
  const ends: PacketLink[] = [];
  const shape = {
    clock,
    faults,
    wireBytes,
    version: 4,
    profile: PERFECT_LINK,
    random: stream("network"),
  } as const;
  const acceptor = {
    accept: (link: PacketLink) => {
      ends.push(link);
      return hear(up);
    },
  };
  faults.set(fault, true, detail);
  createMemoryDialer({ ...shape, acceptor }).dial({
    opened: (link) => {
      ends.push(link);
      return hear(down);
    },
    failed: () => undefined,
  });
  time.advance(3_600_000_000);
  const [server, client] = ends;
  client?.send(connectPacket(THING));
  server?.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
  for (const payload of payloads) client?.send(publish(payload));
  for (const payload of payloads) server?.send(publish(payload));
  time.advance(3_600_000_000);
  return { up, down };
}

/** The same through the proxy, over sockets. */
async function throughProxy(text: string): Promise<Delivered> {
  const rig = await new ProxyRig().start({
    random: createRandomSource(SEED),
    faults: [parseFaultText(text)],
  });
  try {
    const client = await rig.dial();
    client.send(connectPacket(THING));
    await until(() => {
      rig.time.advance(1_000_000);
      return (rig.target.peers[0]?.received.length ?? 0) > 0;
    });
    const server = rig.target.peers[0]!;
    server.send({ type: "connack", sessionPresent: false, reasonCode: 0 });
    const { counters } = rig.proxy;
    for (const payload of payloads) client.send(publish(payload));
    await until(() => counters().up.packets === MESSAGES + 1);
    for (const payload of payloads) server.send(publish(payload));
    await until(() => counters().down.packets === MESSAGES + 1);
    rig.time.advance(3_600_000_000);
    const { up, down } = counters();
    await until(
      () => server.received.length === up.passedBytes && client.received.length === down.passedBytes,
    );
    return { up: server.payloads("server"), down: client.payloads("client") };
  } finally {
    await rig.stop();
  }
}

describe("the same fault and seed, in a scenario's link and through the proxy", () => {
  it.each([
    ["drop-publish=0+3+4+199", { up: MESSAGES - 4, down: MESSAGES }],
    ["drop-publish=1+5,direction=up", { up: MESSAGES - 2, down: MESSAGES }],
    ["drop-publish=1+5,direction=down", { up: MESSAGES, down: MESSAGES - 2 }],
    ["drop-publish,count=7,skip=20,direction=down", { up: MESSAGES, down: MESSAGES - 7 }],
    ["drop-publish,probability=30%,direction=up", undefined],
    ["drop-publish,probability=30%,count=12,direction=down", undefined],
    ["loss=20%", { up: MESSAGES, down: MESSAGES }],
    ["latency=80ms,jitter=40ms", { up: MESSAGES, down: MESSAGES }],
    ["bandwidth=64kbit/s", { up: MESSAGES, down: MESSAGES }],
    ["stall=20s", { up: MESSAGES, down: MESSAGES }],
  ])("%s delivers the same messages in the same order", async (text, counts) => {
    const virtual = throughMemory(text);
    const proxied = await throughProxy(text);
    expect(proxied).toEqual(virtual);
    if (counts === undefined) expect(virtual.up.length + virtual.down.length).toBeLessThan(2 * MESSAGES);
    else expect({ up: virtual.up.length, down: virtual.down.length }).toEqual(counts);
  });
});

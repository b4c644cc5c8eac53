import { MqttBroker } from "fleetrig/broker";
import {
  canonicalJson,
  LANE,
  parseTraceTag,
  Random,
  type RunEvent,
  TRACE_PROPERTY,
  VirtualTime,
} from "fleetrig/kernel";
import type { LinkProfile } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { DeviceRig, MS, type RigOptions, SECOND } from "./device-rig.js";

const ROUGH: LinkProfile = {
  name: "rough",
  latency: { dist: "lognormal", median: 60 * MS, p99: 400 * MS },
  loss: 0.05,
  bitsPerSecond: 250_000,
};

const WILL = { topic: "wills", payload: new Uint8Array([1]), qos: 1, retain: false } as const;

class Cloud {
  readonly time = new VirtualTime();
  readonly events: RunEvent[] = [];
  readonly broker: MqttBroker;

  constructor(profile: "aws" | "oasis" = "aws") {
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: Random.seeded("broker"),
      events: { emit: (event) => this.events.push(event) },
      profile,
    });
  }

  device(ordinal: number, options: RigOptions = {}): DeviceRig {
    return new DeviceRig({ ordinal, time: this.time, acceptor: this.broker, ...options });
  }

  disconnects(): unknown[] {
    return this.events.flatMap((event) =>
      event.type === "broker.disconnected" ? [[event.atUs, event.clientId, event.clientInitiated]] : [],
    );
  }
}

describe("DeviceConnection with the embedded broker", () => {
  it.each([
    { profile: "aws", protocolVersion: 4 },
    { profile: "aws", protocolVersion: 5 },
    { profile: "oasis", protocolVersion: 4 },
    { profile: "oasis", protocolVersion: 5 },
  ] as const)("delivers between devices under $profile, protocol level $protocolVersion", (variant) => {
    const { profile, protocolVersion } = variant;
    const cloud = new Cloud(profile);
    const mqtt = { protocolVersion };
    const [sender, listener] = [cloud.device(0, { mqtt }), cloud.device(1, { mqtt })];
    listener.connection.subscribe([{ filter: "d/+", qos: 1 }]);
    listener.online();
    sender.online();
    for (let i = 0; i < 10; i += 1) sender.publish(1);
    cloud.time.advance(SECOND);
    expect(sender.probe.of("acked")).toHaveLength(10);
    expect(listener.messages.map(({ topic }) => topic)).toEqual(
      Array.from({ length: 10 }, (_, i) => `d/${i}`),
    );
    const tags = listener.messages.map(({ userProperties }) =>
      userProperties?.find(([name]) => name === TRACE_PROPERTY),
    );
    if (protocolVersion === 5)
      expect(parseTraceTag(tags[9]![1])).toEqual({ run: "test", stream: 0, thing: 0, sequence: 9 });
    else expect(tags.every((tag) => tag === undefined)).toBe(true);
  });

  it("has its will published after a reset and not after DISCONNECT", () => {
    const cloud = new Cloud();
    const listener = cloud.device(2);
    listener.connection.subscribe([{ filter: "wills", qos: 1 }]);
    listener.online();
    const [polite, rude] = [
      cloud.device(0, { will: WILL }).online(),
      cloud.device(1, { will: WILL }).online(),
    ];
    polite.connection.disconnect("graceful", 5 * SECOND, "wave");
    cloud.time.advance(SECOND);
    expect(listener.messages).toHaveLength(0);
    rude.connection.disconnect("ungraceful", 5 * SECOND, "wave");
    cloud.time.advance(SECOND);
    expect(listener.messages).toHaveLength(1);
  });

  it("is found missing by the broker after 1.5 times the keep-alive when packets vanish", () => {
    const cloud = new Cloud("oasis");
    const rig = cloud.device(0, { mqtt: { keepAliveS: 40 } }).online();
    const since = cloud.time.nowUs();
    rig.inject("link.blackhole");
    cloud.time.advance(60 * SECOND - 1);
    expect(cloud.disconnects()).toEqual([]);
    cloud.time.advance(SECOND);
    expect(cloud.disconnects()).toEqual([[since + 60 * SECOND, "thing-0", false]]);
    rig.heal("link.blackhole");
    cloud.time.advance(30 * SECOND);
    expect(rig.connection.isOnline).toBe(true);
  });

  it("is found missing at the same time when an action makes its packets vanish while it goes on sending", () => {
    const cloud = new Cloud("oasis");
    const rig = cloud.device(0, { mqtt: { keepAliveS: 40 } }).online();
    const since = cloud.time.nowUs();
    rig.connection.disconnect("blackhole", 120 * SECOND, "hole");
    for (let second = 0; second < 60; second += 1) {
      rig.publish(0);
      cloud.time.advance(SECOND);
    }
    expect(rig.eventsOf("connection.lost")).toMatchObject([
      { atUs: 50 * SECOND, reason: "keep-alive-timeout" },
    ]);
    expect(cloud.disconnects()).toEqual([[since + 60 * SECOND, "thing-0", false]]);
    cloud.time.advance(120 * SECOND);
    expect(rig.connection.isOnline).toBe(true);
  });

  it("gets its session back after a loss, with what was published meanwhile", () => {
    const cloud = new Cloud();
    const sender = cloud.device(0).online();
    const listener = cloud.device(1);
    listener.connection.subscribe([{ filter: "d/+", qos: 1 }]);
    listener.online();
    listener.connection.disconnect("ungraceful", 10 * SECOND, "wave");
    cloud.time.advance(SECOND);
    for (let i = 0; i < 5; i += 1) sender.publish();
    cloud.time.advance(20 * SECOND);
    expect(listener.calls).toEqual(["online false", "offline ungraceful", "online true"]);
    expect(listener.messages).toHaveLength(5);
  });
});

/** 40 devices on rough links, half of them disturbed; returns everything that happened. */
function storm(ordinals: readonly number[]): {
  readonly trace: string;
  readonly rigs: ReadonlyMap<number, DeviceRig>;
} {
  const cloud = new Cloud();
  const rigs = new Map<number, DeviceRig>();
  const listener = cloud.device(100);
  listener.connection.subscribe([{ filter: "d/+", qos: 1 }]);
  listener.connection.start(0);
  for (const ordinal of ordinals) {
    const policy = "full-jitter";
    const rig = cloud.device(ordinal, { link: ROUGH, reconnect: { policy }, mqtt: { keepAliveS: 30 } });
    rig.connection.start(10 * MS * (ordinal % 4));
    rigs.set(ordinal, rig);
  }
  const inOrder = [...rigs.keys()].sort((a, b) => a - b).map((ordinal) => rigs.get(ordinal)!);
  for (let round = 0; round < 20; round += 1) {
    for (const rig of inOrder) rig.publish();
    if (round === 5)
      for (const rig of inOrder.slice(0, 20)) rig.inject("link.flap", { down: "3s", up: "5s" });
    if (round === 12) for (const rig of inOrder.slice(0, 20)) rig.heal("link.flap");
    if (round === 8) inOrder[30]!.connection.disconnect("blackhole", 20 * SECOND, "hole");
    cloud.time.advance(5 * SECOND);
  }
  cloud.time.advance(120 * SECOND);
  const perDevice = inOrder.map((rig) => ({ events: rig.events, steps: rig.probe.steps }));
  const received = listener.messages.map(({ topic, userProperties }) => [topic, userProperties]);
  return { trace: canonicalJson(JSON.parse(JSON.stringify([perDevice, received, cloud.events]))), rigs };
}

describe("a fleet on rough links", () => {
  const ordinals = Array.from({ length: 40 }, (_, i) => i);

  it("gets every QoS 1 publish acknowledged", () => {
    for (const rig of storm(ordinals).rigs.values()) {
      expect(rig.connection.outstanding).toBe(0);
      expect(new Set(rig.probe.of("acked")).size).toBe(20);
    }
  });

  it("does the same again, also when its devices are created in another order", () => {
    const { trace } = storm(ordinals);
    expect(storm(ordinals).trace).toBe(trace);
    expect(storm([...ordinals].reverse()).trace).toBe(trace);
  });
});

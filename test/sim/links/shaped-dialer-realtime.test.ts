import { openListener, MqttBroker } from "fleetrig/broker";
import { createRandomSource, LANE, Random, RealTime, silentSink } from "fleetrig/kernel";
import { wireBytes } from "fleetrig/protocol";
import {
  createShapedDialer,
  createTcpDialer,
  DeviceConnection,
  LinkFaults,
  type LinkProfile,
  PERFECT_LINK,
} from "fleetrig/sim";
import { afterEach, describe, expect, it } from "vitest";
import { CONSTANT_1S, MQTT5 } from "../connection/device-rig.js";
import { ProbeLog } from "../connection/probe-log.js";

const PUBLISHES = 30;
const releases: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

/** A device and a broker on a loopback socket in real time; `until` is asked after each acknowledgement. */
async function publishOverTcp(
  profile: LinkProfile,
  drop: readonly number[],
  until: (log: ProbeLog) => boolean,
) {
  const time = new RealTime();
  const broker = new MqttBroker({
    clock: time.lane(LANE.broker),
    random: Random.seeded("broker"),
    events: silentSink,
    profile: "oasis",
  });
  const listener = await openListener(
    { port: 0 },
    {
      acceptor: broker,
      maxPacketBytes: 65_536,
      connectDeadlineMs: 5_000,
      clock: time.lane(LANE.services),
    },
  );
  const clock = time.lane(LANE.firstDevice);
  const random = createRandomSource(1);
  const faults = new LinkFaults({ clock, random: (purpose) => random.stream(purpose) });
  const inner = createTcpDialer({ host: "127.0.0.1", port: listener.port, version: 5, timeoutMs: 5_000 });
  const dialer = createShapedDialer({
    inner,
    clock,
    profile,
    random: random.stream("network"),
    wireBytes,
    version: 5,
    faults,
  });
  return new Promise<{ readonly probe: ProbeLog; readonly elapsedUs: number }>((resolve) => {
    const probe = new ProbeLog();
    const startUs = time.nowUs();
    const acked = probe.acked.bind(probe);
    probe.acked = (...step) => {
      acked(...step);
      if (until(probe)) resolve({ probe, elapsedUs: time.nowUs() - startUs });
    };
    const connection = new DeviceConnection({
      thing: { name: "socket-device", ordinal: 0 },
      clock,
      random,
      events: silentSink,
      probe,
      run: "tcp",
      dialer,
      mqtt: MQTT5,
      reconnect: { ...CONSTANT_1S, baseUs: 10_000 },
      buffer: { capacity: 100, overflow: "drop-oldest" },
      handlers: {
        online: () => {
          // Everything but what was dropped is acknowledged on the first connection; then the link is reset.
          if (probe.steps.length > PUBLISHES) return;
          if (drop.length > 0) clock.after(300_000, () => faults.set("link.reset", true, {}));
        },
        offline: () => undefined,
        message: () => undefined,
      },
    });
    if (drop.length > 0) faults.set("link.drop-publish", true, { direction: "up", positions: [...drop] });
    for (let sequence = 0; sequence < PUBLISHES; sequence += 1) {
      const trace = { stream: 0, sequence, scheduledUs: 0 };
      connection.publish({ topic: "t", payload: new Uint8Array(8), qos: 1, retain: false, trace });
    }
    connection.start(0);
    releases.push(async () => {
      connection.stop();
      broker.shutdown();
      await listener.stop();
      time.stop();
    });
  });
}

describe("a shaped dialer over TCP", () => {
  it("drops exactly the listed publishes on a socket, and the session makes up for them", async () => {
    const drop = [0, 7, 29];
    const { probe } = await publishOverTcp(PERFECT_LINK, drop, (log) => log.of("acked").length === PUBLISHES);
    expect(probe.of("again")).toEqual(drop);
    expect(probe.of("acked").slice(-drop.length)).toEqual(drop);
  });

  it("adds the latency of the profile to what the socket takes", async () => {
    const profile: LinkProfile = { ...PERFECT_LINK, latency: { dist: "constant", value: 30_000 } };
    const { elapsedUs } = await publishOverTcp(profile, [], (log) => log.of("acked").length === PUBLISHES);
    // TCP handshake, CONNECT and PUBLISH: three round trips of 60 ms.
    expect(elapsedUs).toBeGreaterThanOrEqual(180_000);
  });
});

import { VirtualTime } from "fleetrig/kernel";
import type { ReconnectPolicy } from "fleetrig/sim";
import { describe, expect, it } from "vitest";
import { DeviceRig, SECOND } from "./device-rig.js";
import { ScriptedBroker } from "./scripted-broker.js";

const DEVICES = 200;
const ACCEPTED_PER_SECOND = 20;
const OUTAGE_S = 30;
const QUOTA_EXCEEDED = 0x97;

interface Storm {
  readonly attemptsPerClient: number;
  /** Largest number of attempts in one second after the link came back. */
  readonly peakPerSecond: number;
  readonly t50: number;
  readonly t95: number;
}

/** A fleet loses its links for 30 s; afterwards the broker lets a tenth of it in per second. */
function storm(policy: ReconnectPolicy): Storm {
  const time = new VirtualTime();
  const accepted = new Map<number, number>();
  const broker = new ScriptedBroker({
    connack: () => {
      const second = Math.floor(time.nowUs() / SECOND);
      const count = accepted.get(second) ?? 0;
      if (time.nowUs() > 0 && count >= ACCEPTED_PER_SECOND) return QUOTA_EXCEEDED;
      accepted.set(second, count + 1);
      return 0;
    },
  });
  const rigs = Array.from(
    { length: DEVICES },
    (_, ordinal) => new DeviceRig({ ordinal, time, acceptor: broker, seed: 42, reconnect: { policy } }),
  );
  for (const rig of rigs) rig.connection.start(0);
  time.advance(0);
  for (const rig of rigs) rig.connection.disconnect("ungraceful", OUTAGE_S * SECOND, "storm");
  time.advance(1_000 * SECOND);
  const attempts = rigs.flatMap((rig) => rig.attemptsAtUs().slice(1));
  const perSecond = new Map<number, number>();
  for (const atUs of attempts.filter((us) => us >= OUTAGE_S * SECOND)) {
    const second = Math.floor(atUs / SECOND);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  const backS = rigs
    .map((rig) => (rig.eventsOf("connection.open")[1]!["atUs"] as number) / SECOND - OUTAGE_S)
    .sort((a, b) => a - b);
  return {
    attemptsPerClient: attempts.length / DEVICES,
    peakPerSecond: Math.max(...perSecond.values()),
    t50: backS[DEVICES / 2 - 1]!,
    t95: backS[DEVICES * 0.95 - 1]!,
  };
}

/** The reference model had ten times the devices and the capacity, so its peaks count a tenth here. */
const WITHOUT_JITTER = [
  { policy: "constant", attemptsPerClient: 34.5, peakPerSecond: 200, t50: 4, t95: 9 },
  { policy: "exponential", attemptsPerClient: 9.5, peakPerSecond: 200, t50: 213, t95: 513 },
] as const;

const WITH_JITTER = [
  { policy: "equal-jitter", attemptsPerClient: 6, peakPerSecond: 13.7, t50: 17.2, t95: 25.9 },
  { policy: "full-jitter", attemptsPerClient: 6.5, peakPerSecond: 8.9, t50: 13.5, t95: 47.6 },
  { policy: "decorrelated", attemptsPerClient: 6.3, peakPerSecond: 18.3, t50: 6.9, t95: 27.6 },
] as const;

describe("a reconnect storm after 30 s without links", () => {
  it.each(WITHOUT_JITTER)("comes in waves of the whole fleet under $policy", ({ policy, ...expected }) => {
    expect(storm(policy)).toEqual(expected);
  });

  it.each(WITH_JITTER)("is spread out under $policy", ({ policy, ...expected }) => {
    const measured = storm(policy);
    for (const [figure, value] of Object.entries(expected)) {
      const share = measured[figure as keyof Storm] / value;
      // Two hundred draws scatter; the policies differ by far more than this.
      expect({ figure, within: share > 0.6 && share < 1.6, share }).toMatchObject({ figure, within: true });
    }
  });
});

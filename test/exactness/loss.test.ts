import { US_PER_S } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import type { World } from "../../scenarios/runner/world.js";
import { countsOf, positions } from "./loss-scenario.js";

const COUNTS = [0, 1, 17, 1000] as const;
/** Waiting for sessions to expire takes a day of the run's time. */
const COUNTS_OF_EXPIRY = [1, 1000] as const;

/** Swallows the publishes at `count` known positions on their way to the observer. */
const swallowDown =
  (count: number, ...more: readonly ((world: World) => void)[]) =>
  (world: World): void => {
    world.observerFaults.set("link.drop-publish", true, { direction: "down", positions: positions(count) });
    for (const one of more) one(world);
  };

/** Cuts the observer off, for so long, when all losses have happened. */
const cutObserver =
  (forS: number) =>
  ({ harness, observerFaults }: World): void => {
    const DURING_AFTER_S = 130;
    harness.after(DURING_AFTER_S * US_PER_S, () => {
      observerFaults.set("link.refuse", true, {});
      observerFaults.set("link.reset", true, {});
      harness.after(forS * US_PER_S, () => observerFaults.set("link.refuse", false, {}));
    });
  };

describe.each(COUNTS)("%i publishes swallowed before the broker", (k) => {
  it("are exactly the lost ones at qos 0", async () => {
    const counts = await countsOf({ qos: 0, up: k });
    expect(counts).toMatchObject({ lost: k, acked_but_lost: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent - k);
  });

  it("are exactly the unacknowledged ones at qos 1, and none of them counts as lost", async () => {
    const counts = await countsOf({ qos: 1, up: k });
    expect(counts).toMatchObject({ unacked: k, lost: 0, retransmitted: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent - k);
    expect(counts.acked).toBe(counts.sent - k);
  });

  it("are exactly the retransmitted ones at qos 1 when the devices reconnect, and nothing is lost", async () => {
    const after = ["{ at: 5s, disconnect: { id: cut, mode: ungraceful, hold: 2s } }"];
    const counts = await countsOf({ qos: 1, up: k, after });
    expect(counts).toMatchObject({ retransmitted: k, unacked: 0, lost: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent);
  });
});

describe.each(COUNTS)("%i publishes swallowed after the broker", (k) => {
  it("are exactly the lost ones at qos 0", async () => {
    const counts = await countsOf({ qos: 0, prepared: swallowDown(k) });
    expect(counts).toMatchObject({ lost: k, acked_but_lost: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent - k);
  });

  it("are exactly those acknowledged but lost at qos 1", async () => {
    const counts = await countsOf({ qos: 1, prepared: swallowDown(k) });
    expect(counts).toMatchObject({ acked_but_lost: k, lost: k, unacked: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent - k);
  });

  it("arrive at qos 1 once the receiver resumes its session", async () => {
    const counts = await countsOf({
      qos: 1,
      // AWS replays stored messages at ten a second, and new ones wait behind them.
      after: ["{ at: 15s, disconnect: { id: quiet, mode: graceful, hold: 4m } }"],
      afterFor: "5m",
      prepared: swallowDown(k, cutObserver(2)),
    });
    expect(counts).toMatchObject({ acked_but_lost: 0, lost: 0, unacked: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent);
  });
});

describe.each(COUNTS_OF_EXPIRY)("%i publishes swallowed before a session expires", (k) => {
  it("are sent once more at qos 1 when it is the sender's, and none is lost", async () => {
    const after = ["{ at: 5s, disconnect: { id: cut, mode: ungraceful, hold: 62m } }"];
    const counts = await countsOf({ qos: 1, up: k, after, afterFor: "65m" });
    expect(counts).toMatchObject({ retransmitted: k, unacked: 0, lost: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent);
  });

  it("are lost exactly at qos 1 when it is the receiver's", async () => {
    const counts = await countsOf({
      qos: 1,
      // Nobody publishes while the observer is away: what is published then would be lost as well.
      after: ["{ at: 5s, disconnect: { id: quiet, mode: graceful, hold: 26h } }"],
      afterFor: "26h10m",
      prepared: swallowDown(k, cutObserver(25 * 3600)),
    });
    expect(counts).toMatchObject({ acked_but_lost: k, lost: k, unacked: 0, duplicates: 0, unexpected: 0 });
    expect(counts.received).toBe(counts.sent - k);
  });
});

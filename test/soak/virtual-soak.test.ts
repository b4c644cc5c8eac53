import { describe, expect, it } from "vitest";
import { soakVirtually } from "./virtual-soak.js";

const GONE = {
  connections: 0,
  sessions: 0,
  subscriptions: 0,
  shareGroups: 0,
  retained: 0,
  retainedBytes: 0,
  queuedMessages: 0,
  queuedBytes: 0,
  pendingWills: 0,
  connectQueue: 0,
};

describe("a broker after hours of coming and going", () => {
  it.each([1, 2, 3])(
    "remembers nobody once all are gone and nothing once it has expired (seed %i)",
    async (seed) => {
      const soak = await soakVirtually({ seed, hours: 2, clients: 40, pauseS: 20 });
      expect(soak.received).toBeGreaterThan(5_000);
      expect(soak.statistics).toMatchObject({
        sharedReassigned: expect.toSatisfy((count: number) => count > 0),
        redelivered: expect.toSatisfy((count: number) => count > 0),
        dropped: expect.toSatisfy((count: number) => count > 0),
      });
      expect(soak.aftermath).toMatchObject(GONE);
      expect(soak.grown).toEqual([]);
      expect(soak.timersLeft).toBe(0);
    },
  );
});

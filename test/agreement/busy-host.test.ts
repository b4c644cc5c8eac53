import { describe, expect, it } from "vitest";
import { metric, runTextOf } from "../determinism/run-text.js";

const telemetry = "test/embedding/telemetry.yaml";

describe("a busy host (realtime)", () => {
  it("is late but moves neither stages nor schedules: every stage holds exactly its messages", async () => {
    const busy = (): void => {
      for (const until = performance.now() + 37; performance.now() < until; );
    };
    const record = await runTextOf(telemetry, {
      prepared: ({ harness }) => {
        for (let atMs = 100; atMs < 2_500; atMs += 61) harness.after(atMs * 1000, busy);
      },
    });
    expect(metric(record, "telemetry.published", { stage: "steady" })).toBe(120);
    expect(metric(record, "delivery.lost")).toBe(0);
    expect(record.stages.map(({ startMs, endMs }) => Math.round(endMs - startMs))).toEqual([500, 1500, 500]);
    expect(record.trust.scheduleLagP99Ms).toBeGreaterThan(5);
  });
});

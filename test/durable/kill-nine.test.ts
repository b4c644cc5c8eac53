import { describe, expect, it } from "vitest";
import { killNine } from "./kill-nine.js";

describe("kill -9 in the middle of the work", () => {
  it("costs nothing that was acknowledged, and invents nothing", async () => {
    const report = await killNine({ kills: 8, seed: 5 });
    expect(report).toMatchObject({ lost: 0, phantoms: 0, sessionsLost: 0, retainedWrong: 0 });
    expect(report.acknowledged).toBeGreaterThan(500);
  }, 180_000);
});

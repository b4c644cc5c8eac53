import { HostProbe, hostYield, RealTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const settle = (time: RealTime, delayUs: number): Promise<void> =>
  new Promise((resolve) => time.lane(99).after(delayUs, resolve));

describe("RealTime (realtime)", () => {
  it("runs timers in due order, whichever lane they were set on", async () => {
    const time = new RealTime();
    const order: string[] = [];
    // Far enough apart that a busy host cannot make the later call the earlier timer.
    time.lane(17).after(400_000, () => order.push("late"));
    time.lane(16).after(1_000, () => order.push("early"));
    time.lane(16).after(0, () => order.push("now"));
    await settle(time, 450_000);
    time.stop();
    expect(order).toEqual(["now", "early", "late"]);
  });

  it("never runs a timer before it is due", async () => {
    const time = new RealTime();
    const dueUs = time.nowUs() + 3_000;
    let ranAtUs = 0;
    time.lane(16).after(3_000, () => {
      ranAtUs = time.nowUs();
    });
    await settle(time, 5_000);
    time.stop();
    expect(ranAtUs).toBeGreaterThanOrEqual(dueUs);
  });

  it("runs nothing after stop and holds no handle", async () => {
    const time = new RealTime();
    let ran = false;
    time.lane(16).after(0, () => {
      ran = true;
    });
    time.stop();
    time.lane(16).after(0, () => {
      ran = true;
    });
    await hostYield();
    await hostYield();
    expect(ran).toBe(false);
  });
});

describe("HostProbe", () => {
  it("reads memory, event loop and machine, and can be stopped", () => {
    const probe = new HostProbe();
    expect(probe.sampleRss()).toBeGreaterThan(1_000_000);
    const reading = probe.stop();
    expect(reading.cores).toBeGreaterThan(0);
    expect(reading.eventLoopUtilisation).toBeGreaterThanOrEqual(0);
    expect(reading.node).toBe(process.version);
  });
});

import { describe, expect, it } from "vitest";
import { VirtualTime } from "fleetrig/kernel";

describe("VirtualTime", () => {
  it("runs timers of one instant in lane order, whatever order they were created in", () => {
    const time = new VirtualTime();
    const order: string[] = [];
    for (const lane of [18, 16, 17]) time.lane(lane).after(10, (name) => order.push(name), `lane ${lane}`);
    time.advance(10);
    expect(order).toEqual(["lane 16", "lane 17", "lane 18"]);
  });

  it("starts timers created while firing from the instant that is firing", () => {
    const time = new VirtualTime();
    const clock = time.lane(16);
    const fired: number[] = [];
    clock.after(10, () => clock.after(10, () => clock.after(10, () => fired.push(clock.nowUs()))));
    time.advance(30);
    expect(fired).toEqual([30]);
  });

  it("does not run a cancelled timer, also when most timers are cancelled", () => {
    const time = new VirtualTime();
    const clock = time.lane(16);
    const fired: number[] = [];
    const timers = Array.from({ length: 1000 }, (_, i) => clock.after(i, () => fired.push(i)));
    timers.forEach((timer, i) => (i % 100 === 0 ? undefined : timer.cancel()));
    time.advance(2000);
    expect(fired).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  });

  it("sets a timer anew as a new timer would, also while it is pending or after it was cancelled", () => {
    const time = new VirtualTime();
    const clock = time.lane(16);
    const order: string[] = [];
    const recurring = clock.after(5, () => order.push(`recurring ${time.nowUs()}`));
    clock.after(10, () => order.push("first of 10"));
    recurring.again(10);
    time.advance(10);
    recurring.again(5);
    recurring.cancel();
    time.advance(10);
    recurring.again(1);
    time.advance(1);
    expect(order).toEqual(["first of 10", "recurring 10", "recurring 21"]);
  });
});

import { listPorts, PortWatch } from "fleetrig/hil";
import { US_PER_S, VirtualTime } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";
import { CH340, ESP32_C3, FakeSystem } from "./fake-system.js";

function watched(system: FakeSystem) {
  const time = new VirtualTime();
  const told: string[] = [];
  let touch = (): void => {};
  const watch = new PortWatch({
    clock: time.lane(0),
    list: () => listPorts(system),
    folders: (_folder, changed) => {
      touch = changed;
      return () => {};
    },
    changed: (gone, come) =>
      void told.push(
        [...gone.map(({ path }) => `-${path}`), ...come.map(({ path }) => `+${path}`), time.nowUs()].join(
          " ",
        ),
      ),
  });
  return { time, told, watch, touch: () => touch() };
}

describe("PortWatch", () => {
  it("hears of a new port as soon as /dev changes and udev is done with it", () => {
    const system = new FakeSystem();
    const { time, told, touch } = watched(system);
    time.advance(100);
    system.plug(ESP32_C3);
    touch();
    touch();
    time.advance(20_000);
    expect(told).toEqual(["+/dev/ttyACM0 20100"]);
  });

  it("finds everything within a second without any hint", () => {
    const system = new FakeSystem().plug(ESP32_C3);
    const { time, told } = watched(system);
    system.remove("/sys/class/tty/ttyACM0");
    time.advance(US_PER_S);
    expect(told).toEqual(["-/dev/ttyACM0 1000000"]);
  });

  it("notices another plugging in under the same name", () => {
    const system = new FakeSystem().plug(CH340("1-1", "ttyUSB0", 7));
    const { time, told } = watched(system);
    system.plug(CH340("1-1", "ttyUSB0", 8));
    time.advance(US_PER_S);
    expect(told).toEqual(["-/dev/ttyUSB0 +/dev/ttyUSB0 1000000"]);
  });

  it("tells nothing after it was stopped", () => {
    const system = new FakeSystem();
    const { time, told, watch } = watched(system);
    watch.stop();
    system.plug(ESP32_C3);
    watch.look();
    time.advance(5 * US_PER_S);
    expect(told).toEqual([]);
  });
});

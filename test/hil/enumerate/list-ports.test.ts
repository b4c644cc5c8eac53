import { listPorts, resolveIdentity } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { CH340, CP2102, ESP32_C3, FakeSystem, FT2232H } from "./fake-system.js";

describe("listPorts", () => {
  it("finds adapters and boards' own USB in the order of their numbers, and no consoles", () => {
    const system = new FakeSystem().plug(FT2232H).plug(CH340("1-1.2", "ttyUSB2")).plug(ESP32_C3);
    expect(listPorts(system).map(({ path }) => path)).toEqual([
      "/dev/ttyACM0",
      "/dev/ttyUSB2",
      "/dev/ttyUSB10",
      "/dev/ttyUSB11",
    ]);
  });

  it("finds nothing where there is no sysfs", () => {
    expect(listPorts(new FakeSystem().remove("/sys"))).toEqual([]);
  });

  it("reads what USB tells of an ESP32-C3, whose serial number is its MAC", () => {
    const [port] = listPorts(new FakeSystem().plug(ESP32_C3));
    expect(port).toMatchObject({
      address: { kind: "tty", path: "/dev/ttyACM0" },
      driver: "cdc_acm",
      adapter: { kind: "usb-jtag", hasMacSerial: true },
      usb: {
        vendorId: "303a",
        productId: "1001",
        serial: "84:F7:03:67:84:6C",
        path: "1-2.3",
        interface: 0,
        deviceNumber: 7,
      },
      byId: ["/dev/serial/by-id/usb-Espressif_84:F7:03:67:84:6C-if00"],
      byPath: ["/dev/serial/by-path/pci-usb-1-2.3:1.0-port0"],
    });
  });

  it("keeps two CH340 apart though they share one link by id", () => {
    const ports = listPorts(new FakeSystem().plug(CH340("1-1", "ttyUSB0")).plug(CH340("1-2", "ttyUSB1")));
    expect(ports.map(({ byId }) => byId.length)).toEqual([0, 1]);
    const identities = ports.map((port) => resolveIdentity({ port, address: port.address }).key);
    expect(identities).toEqual(["usb:1-1:0.0", "usb:1-2:0.0"]);
  });

  it("does not take the 0001 of CP2102 clones for a name", () => {
    const ports = listPorts(new FakeSystem().plug(CP2102("1-1", "ttyUSB0")).plug(CP2102("1-2", "ttyUSB1")));
    expect(ports.every(({ adapter }) => !adapter.hasUniqueSerial)).toBe(true);
    expect(new Set(ports.map((port) => resolveIdentity({ port, address: port.address }).key)).size).toBe(2);
  });

  it("tells the two ports of an FT2232H apart, and which has the console", () => {
    const ports = listPorts(new FakeSystem().plug(FT2232H));
    expect(ports.map(({ usb, adapter }) => [usb?.interface, adapter.consolePort])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it("shows UARTs of the machine that have a chip, not those that the kernel made in advance", () => {
    const system = new FakeSystem();
    for (const [name, type] of [
      ["ttyS0", "4"],
      ["ttyS1", "0"],
    ] as const) {
      system.file(`/sys/devices/platform/serial8250/${name}/x`, "");
      system.linkTo(`/sys/class/tty/${name}/device`, `/sys/devices/platform/serial8250/${name}`);
      system.file(`/sys/class/tty/${name}/type`, type);
    }
    expect(listPorts(system)).toMatchObject([{ path: "/dev/ttyS0", adapter: { kind: "uart" } }]);
  });

  it("looks no further at consoles than at where they are", () => {
    const system = new FakeSystem().plug({
      path: "1-9",
      ids: "10c4:ea60",
      driver: "cp210x",
      ttys: ["ttyUSB0"],
    });
    for (let number = 0; number < 64; number += 1)
      system.linkTo(`/sys/class/tty/tty${number}`, `../../devices/virtual/tty/tty${number}`);
    const asked: string[] = [];
    const resolve = system.resolve.bind(system);
    system.resolve = (path) => (asked.push(path), resolve(path));
    expect(listPorts(system).map(({ path }) => path)).toEqual(["/dev/ttyUSB0"]);
    expect(asked.filter((path) => /tty\d/.test(path))).toEqual([]);
  });

  it.each([
    ["303a:4001", "cdc_acm", "usb-otg"],
    ["303a:0009", "cdc_acm", "usb-otg"],
    ["303a:1002", "cdc_acm", "uart-bridge"],
    ["1209:0001", "cdc_acm", "usb-otg"],
    ["4348:5523", "ch341-uart", "uart-bridge"],
  ])("takes %s with %s for %s", (ids, driver, kind) => {
    const system = new FakeSystem().plug({ path: "1-9", ids, driver, ttys: ["ttyUSB3"] });
    expect(listPorts(system)[0]?.adapter.kind).toBe(kind);
  });

  it("adds the virtual boards of the registry", () => {
    const board = {
      schema: 1,
      path: "/tmp/board-1",
      kind: "rv32",
      mac: "7cdfa1001122",
      chip: "rv32-virt",
      pid: 1,
      started: "",
      boot: "",
    } as const;
    const [port] = listPorts(new FakeSystem(), [board]);
    expect(port).toMatchObject({
      path: "/tmp/board-1",
      adapter: { kind: "virtual" },
      virtual: { chip: "rv32-virt" },
    });
  });
});

import { describe, expect, it } from "vitest";
import { namedPort, WantedPorts } from "../../../hil/bench/wanted-ports.js";
import type { AttachedPort } from "../../../hil/enumerate/attached-port.js";

const UART = { ...namedPort("/dev/ttyS0"), byPath: ["/dev/serial/by-path/pci-0000:00:16.3"] };
const ADAPTER: AttachedPort = {
  ...namedPort("/dev/ttyUSB0"),
  usb: {
    vendorId: "1a86",
    productId: "7523",
    serial: undefined,
    product: "CH340",
    manufacturer: undefined,
    path: "1-1",
    interface: 0,
    portNumber: 0,
    deviceNumber: 2,
  },
};

const portsWith = (...names: readonly string[]): string[] => {
  const ports = new WantedPorts({
    ports: [UART, ADAPTER],
    watch: () => () => undefined,
    look: () => undefined,
  });
  for (const name of names) ports.want(name);
  return ports.ports.map(({ path }) => path);
};

describe("Ports where boards may be", () => {
  it("are not UARTs of the machine itself, which may be its console", () => {
    expect(portsWith()).toEqual(["/dev/ttyUSB0"]);
    expect(portsWith("/dev/ttyUSB*")).toEqual(["/dev/ttyUSB0"]);
  });

  it.each(["/dev/ttyS0", "/dev/ttyS*", "/dev/serial/by-path/pci-*"])(
    "are these when they are named: %s",
    (name) => {
      expect(portsWith(name)).toEqual(["/dev/ttyS0", "/dev/ttyUSB0"]);
    },
  );

  it("are what no enumerator knows when it is named, once", () => {
    expect(portsWith("tcp://127.0.0.1:4000", "tcp://127.0.0.1:4000")).toEqual([
      "/dev/ttyUSB0",
      "tcp://127.0.0.1:4000",
    ]);
  });
});

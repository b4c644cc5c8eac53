import { findSerialPorts } from "fleetrig/hil";
import { describe, expect, it } from "vitest";

describe("findSerialPorts", () => {
  it("finds USB serial adapters and the boards' own USB, in numerical order", () => {
    const names = ["ttyUSB10", "tty0", "ttyUSB2", "ttyACM0", "ttyS0", "ttyUSBx", "serial/"];
    expect(findSerialPorts((folder) => (folder === "/dev" ? names : []))).toEqual([
      "/dev/ttyACM0",
      "/dev/ttyUSB2",
      "/dev/ttyUSB10",
    ]);
  });

  it("finds nothing where there are no device files", () => {
    expect(findSerialPorts(() => [])).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { portError } from "../../../hil/port/port-error.js";

describe("portError", () => {
  it.each([
    ["Error: Connection timed out, cannot set", "PORT_STALLED"],
    ["connect ETIMEDOUT 192.0.2.1:2217", "PORT_STALLED"],
    ["Error Resource temporarily unavailable Cannot lock port", "PORT_BUSY"],
    ["Error: Permission denied, cannot open /dev/ttyUSB0", "PORT_PERMISSION"],
    ["Error: No such file or directory, cannot open /dev/ttyUSB0", "PORT_NOT_FOUND"],
    ["Error: Inappropriate ioctl for device, cannot set", "PORT_LINES_UNSUPPORTED"],
    ["Error: Input/output error, cannot set", "PORT_FAILED"],
  ])("knows what %j means: %s", (reason, code) => {
    expect(portError({ kind: "tty", path: "/dev/ttyUSB0" }, reason)).toMatchObject({ code });
  });
});

import { formatPortAddress, parsePortAddress } from "fleetrig/hil";
import { FleetrigError } from "fleetrig/kernel";
import { describe, expect, it } from "vitest";

const GOOD = [
  ["/dev/ttyUSB0", { kind: "tty", path: "/dev/ttyUSB0" }],
  ["/dev/serial/by-id/usb-1a86_USB-if00", { kind: "tty", path: "/dev/serial/by-id/usb-1a86_USB-if00" }],
  ["tcp://10.0.0.7:3333", { kind: "tcp", host: "10.0.0.7", port: 3333 }],
  ["rfc2217://bench-3.local:2217", { kind: "rfc2217", host: "bench-3.local", port: 2217 }],
  ["rfc2217://[::1]:2217", { kind: "rfc2217", host: "::1", port: 2217 }],
] as const;

const BAD = [
  "",
  "ttyUSB0",
  "COM3",
  "tcp://host",
  "tcp://host:0",
  "tcp://host:65536",
  "tcp://:1",
  "udp://h:1",
  "tcp://a/b:1",
  "/dev/a\0b",
];

describe("parsePortAddress", () => {
  it.each(GOOD)("reads %s, and writes it the same way", (text, address) => {
    expect(parsePortAddress(text)).toEqual(address);
    expect(formatPortAddress(address)).toBe(text);
  });

  it.each(BAD)("refuses %j and says what to write", (text) => {
    let caught: unknown;
    try {
      parsePortAddress(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(FleetrigError);
    expect(caught).toMatchObject({
      code: "PORT_ADDRESS",
      exitCode: 2,
      hint: expect.stringContaining("rfc2217://"),
    });
  });
});

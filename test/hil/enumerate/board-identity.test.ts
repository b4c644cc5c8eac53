import { type IdentityEvidence, listPorts, normalMac, resolveIdentity } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { CP2102, ESP32_C3, FakeSystem } from "./fake-system.js";

const [c3] = listPorts(new FakeSystem().plug(ESP32_C3));
const [bridge] = listPorts(new FakeSystem().plug(CP2102("1-1.4", "ttyUSB0")));
const tty = { kind: "tty", path: "/dev/ttyUSB0" } as const;
const remote = { kind: "rfc2217", host: "bench", port: 2217 } as const;

const ORDER: readonly [string, IdentityEvidence, string, string][] = [
  [
    "the hello's MAC",
    { helloMac: "7cdfa1001122", romMac: "7cdfa1001122", port: bridge, address: tty },
    "mac:7cdfa1001122",
    "hello",
  ],
  [
    "the fuses' MAC",
    { romMac: "7C:DF:A1:00:11:22", port: bridge, address: tty },
    "mac:7cdfa1001122",
    "efuse",
  ],
  ["the serial number of the chip's USB", { port: c3, address: tty }, "mac:84f70367846c", "usb-serial"],
  ["the USB socket", { port: bridge, address: tty }, "usb:1-1.4:0.0", "usb-path"],
  ["the address", { address: remote }, "address:rfc2217://bench:2217", "address"],
  [
    "no MAC of empty fuses",
    { helloMac: "ff:ff:ff:ff:ff:ff", address: remote },
    "address:rfc2217://bench:2217",
    "address",
  ],
];

describe("resolveIdentity", () => {
  it.each(ORDER)("goes by %s", (_name, evidence, key, source) => {
    expect(resolveIdentity(evidence)).toMatchObject({ key, source, conflict: undefined });
  });

  it("gives the same board the same key from whichever source names its MAC", () => {
    const early = resolveIdentity({ port: c3, address: tty });
    const late = resolveIdentity({ helloMac: "84f70367846c", port: c3, address: tty });
    expect(late.key).toBe(early.key);
  });

  it("tells of sources that disagree, so that the wrong board is not flashed", () => {
    expect(resolveIdentity({ helloMac: "7cdfa1001122", port: c3, address: tty }).conflict).toEqual({
      source: "usb-serial",
      mac: "84f70367846c",
    });
  });
});

describe("normalMac", () => {
  it.each([
    ["7C-DF-A1-00-11-22", "7cdfa1001122"],
    ["7cdfa1001122", "7cdfa1001122"],
    ["7c:dfa1:00:11:22", undefined],
    ["000000000000", undefined],
    ["0001", undefined],
    [undefined, undefined],
  ])("reads %s as %s", (text, mac) => {
    expect(normalMac(text)).toBe(mac);
  });
});

import { VirtualTime } from "fleetrig/kernel";
import type { ModemLines, UsbSerialKind } from "fleetrig/hil";
import { describe, expect, it } from "vitest";
import { baudOf } from "../../hil/virtual/usbip/ch340.js";
import { UsbSerialDevice } from "../../hil/virtual/usbip/usb-serial-device.js";
import { UsbHostRig } from "./usb-host.js";

const STALL = -32;
const UNLINKED = -104;

function rig(kind: UsbSerialKind = "cp2102") {
  const time = new VirtualTime();
  const lines: ModemLines[] = [];
  const bauds: number[] = [];
  let received = "";
  let asked: (state: ModemLines) => void = () => undefined;
  const device = new UsbSerialDevice({
    kind,
    busId: "1-1",
    clock: time.lane(0),
    ...(kind === "usb-jtag" && { serial: "7C:DF:A1:00:11:22" }),
    peer: {
      received: (bytes) => (received += Buffer.from(bytes).toString("latin1")),
      lines: (state) => {
        lines.push(state);
        asked(state);
      },
      baud: (baud) => bauds.push(baud),
    },
  });
  const host = new UsbHostRig([device]).attach("1-1");
  return {
    time,
    device,
    host,
    lines,
    bauds,
    received: () => received,
    onLines: (listener: typeof asked) => (asked = listener),
  };
}

const both = (dtr: boolean, rts: boolean): ModemLines => ({ dtr, rts });

describe("A virtual USB device", () => {
  it.each([
    ["usb-jtag", "303a", "1001", "7C:DF:A1:00:11:22"],
    ["cp2102", "10c4", "ea60", "0001"],
    ["ch340", "1a86", "7523", undefined],
  ] as const)("describes itself as a %s", (kind, vendor, product, serial) => {
    const { host } = rig(kind);
    const device = Buffer.from(host.reply(host.control(0x80, 6, 0x0100, { length: 18 }))!.data);
    expect(device.readUInt16LE(8).toString(16)).toBe(vendor);
    expect(device.readUInt16LE(10).toString(16)).toBe(product);
    const head = Buffer.from(host.reply(host.control(0x80, 6, 0x0200, { length: 9 }))!.data);
    const whole = host.reply(host.control(0x80, 6, 0x0200, { length: 512 }))!.data;
    expect([head.length, whole.length]).toEqual([9, head.readUInt16LE(2)]);
    const text = host.reply(host.control(0x80, 6, 0x0300 | device[16]!, { index: 0x409, length: 255 }))!;
    if (serial === undefined) expect(device[16]).toBe(0);
    else expect(Buffer.from(text.data.subarray(2)).toString("utf16le")).toBe(serial);
    // No device qualifier: it knows full speed only.
    expect(host.reply(host.control(0x80, 6, 0x0600, { length: 10 }))!.status).toBe(STALL);
  });

  it.each([
    [
      "usb-jtag",
      [
        [0x21, 0x22, 3],
        [0x21, 0x22, 1],
        [0x21, 0x22, 2],
        [0x21, 0x22, 0],
      ],
    ],
    [
      "cp2102",
      [
        [0x41, 0x07, 0x303],
        [0x41, 0x07, 0x301],
        [0x41, 0x07, 0x302],
        [0x41, 0x07, 0x300],
      ],
    ],
    [
      "ch340",
      [
        [0x40, 0xa4, 0xff9f],
        [0x40, 0xa4, 0xffdf],
        [0x40, 0xa4, 0xffbf],
        [0x40, 0xa4, 0xffff],
      ],
    ],
  ] as const)("takes both lines from one request of the driver of a %s", (kind, requests) => {
    const { host, lines } = rig(kind);
    for (const [type, request, value] of requests) host.control(type, request, value);
    expect(lines).toEqual([both(true, true), both(true, false), both(false, true), both(false, false)]);
  });

  it("leaves the line that a CP210x's driver did not mean", () => {
    const { host, lines } = rig();
    host.control(0x41, 0x07, 0x303);
    host.control(0x41, 0x07, 0x100);
    expect(lines.at(-1)).toEqual(both(false, true));
  });

  it.each([
    ["usb-jtag", 0x21, 0x20, 0, { data: Uint8Array.of(0, 0x10, 0x0e, 0, 0, 0, 8) }, 921_600],
    ["cp2102", 0x41, 0x1e, 0, { data: Uint8Array.of(0x00, 0x10, 0x0e, 0x00) }, 921_600],
    ["ch340", 0x40, 0x9a, 0x1312, { index: 0xcc83 }, 115_385],
  ] as const)("tells the rate that the driver of a %s sets", (kind, type, request, value, rest, baud) => {
    const { host, bauds } = rig(kind);
    host.control(type, request, value, rest);
    expect(bauds).toEqual([baud]);
  });

  it("knows a CH340's divisors", () => {
    expect([0xb282, 0xcc83, 0xf387].map(baudOf)).toEqual([9615, 115_385, 923_077]);
  });

  it("carries bytes both ways, in pieces that the host asks for", () => {
    const { host, device, received } = rig();
    const first = host.read(2, 4);
    device.send(Buffer.from("hello"));
    const second = host.read(2, 64);
    expect([first, second].map((id) => Buffer.from(host.reply(id)!.data).toString())).toEqual(["hell", "o"]);
    host.write(1, Buffer.from("abc"));
    expect(received()).toBe("abc");
    expect(host.reply(host.write(5, Buffer.from("abc")))!.status).toBe(STALL);
  });

  it("keeps as much as its buffers do while nobody reads, and counts what is lost", () => {
    const { device, host } = rig();
    device.send(new Uint8Array(1000));
    expect(device.lostBytes).toBe(360);
    expect(host.reply(host.read(2, 4096))!.data.length).toBe(640);
  });

  it("answers an unlinked read as such, and one that was answered before as done", () => {
    const { device, host } = rig();
    const read = host.read(2);
    expect(host.reply(host.unlink(read))!.status).toBe(UNLINKED);
    const other = host.read(2);
    device.send(Uint8Array.of(1));
    expect(host.reply(other)!.actualBytes).toBe(1);
    expect(host.reply(host.unlink(other))!.status).toBe(0);
  });

  it("wedged answers nothing but that a request was taken back", () => {
    const { device, host } = rig();
    device.trouble = "wedged";
    const request = host.control(0x41, 0x07, 0x303);
    expect(host.reply(request)).toBeUndefined();
    expect(host.reply(host.unlink(request))!.status).toBe(UNLINKED);
    device.trouble = "refusing";
    expect(host.reply(host.control(0x41, 0x07, 0x303))!.status).toBe(STALL);
    expect(host.reply(host.control(0x80, 6, 0x0100, { length: 18 }))!.status).toBe(0);
  });

  it("ends a connection that asks for more than it ever takes back", () => {
    const { host } = rig();
    for (let count = 0; count < 300 && !host.isFinished; count += 1) host.read(2);
    expect(host.isFinished).toBe(true);
  });

  it("is one host's at a time, and leaves its lines released", () => {
    const { device, host, lines } = rig();
    const other = new UsbHostRig([device]).attach("1-1");
    expect(other.isFinished).toBe(true);
    host.session.ended();
    expect(lines.at(-1)).toEqual(both(false, false));
    expect(new UsbHostRig([device]).attach("1-1").isFinished).toBe(false);
  });

  it("answers the request that makes it vanish, and comes back", () => {
    const { time, device, host, onLines } = rig("usb-jtag");
    device.send(Buffer.from("old"));
    onLines((state) => {
      if (!state.rts) return;
      device.reenumerate(150_000);
      device.send(Buffer.from("new"));
    });
    expect(host.reply(host.control(0x21, 0x22, 2))!.status).toBe(0);
    expect([host.isFinished, device.isFree]).toEqual([true, false]);
    time.runUntil(150_000);
    const again = new UsbHostRig([device]).attach("1-1");
    expect(Buffer.from(again.reply(again.read(1))!.data).toString()).toBe("new");
  });
});

import { connect, type Socket } from "node:net";
import { MemoryFlash, startUsbipServer, UsbChip, type UsbipServer } from "fleetrig/hil";
import { RealTime } from "fleetrig/kernel";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  decodeDeviceList,
  decodeImport,
  encodeImportRequest,
  encodeListRequest,
  IMPORT_REPLY_BYTES,
} from "../../hil/virtual/usbip/usbip-messages.js";
import { encodeSubmit } from "./usb-host.js";

/** A connection as a kernel has one. */
class Connection {
  bytes: Buffer = Buffer.alloc(0);
  isClosed = false;
  private readonly socket: Socket;
  private changed: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("data", (piece) => {
      this.bytes = Buffer.concat([this.bytes, piece]);
      this.changed();
    });
    this.socket.on("close", () => {
      this.isClosed = true;
      this.changed();
    });
    onTestFinished(() => void this.socket.destroy());
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.changed = resolve));
  }
}

async function start(vanishes: boolean): Promise<{ server: UsbipServer; chip: UsbChip }> {
  const time = new RealTime();
  const clock = time.lane(0);
  const chip = new UsbChip({
    kind: "usb-jtag",
    busId: "1-1",
    chip: "esp32c3",
    mac: "7cdfa1001122",
    flash: new MemoryFlash(4096),
    isBootable: () => true,
    clock,
    vanishes,
  });
  const server = await startUsbipServer({ clock, devices: [chip.device] });
  onTestFinished(async () => {
    await server.close();
    time.stop();
  });
  return { server, chip };
}

async function imported(port: number): Promise<Connection> {
  const connection = new Connection(port);
  connection.write(encodeImportRequest("1-1"));
  await connection.until(() => connection.bytes.length >= IMPORT_REPLY_BYTES);
  expect(decodeImport(connection.bytes)).toMatchObject({ isRefused: false });
  connection.bytes = connection.bytes.subarray(IMPORT_REPLY_BYTES);
  return connection;
}

async function list(port: number): Promise<readonly string[] | undefined> {
  const connection = new Connection(port);
  connection.write(encodeListRequest());
  await connection.until(() => connection.isClosed);
  return decodeDeviceList(connection.bytes);
}

const setLines = (sequence: number, value: number): Uint8Array =>
  encodeSubmit({
    sequence,
    isIn: false,
    endpoint: 0,
    lengthBytes: 0,
    setup: { requestType: 0x21, request: 0x22, value, index: 0, lengthBytes: 0 },
  });

describe("The USB/IP server", () => {
  it("offers what nobody has, and takes it back when its host goes", async () => {
    const { server, chip } = await start(false);
    expect(await list(server.port)).toEqual(["1-1"]);
    const host = await imported(server.port);
    expect(await list(server.port)).toEqual([]);
    chip.unplug();
    await host.until(() => host.isClosed);
    expect(await list(server.port)).toEqual([]);
    chip.plug();
    expect(await list(server.port)).toEqual(["1-1"]);
  });

  it("resets a chip into its loader by requests for its lines, which goes on talking", async () => {
    const { server, chip } = await start(false);
    const host = await imported(server.port);
    [1, 3, 2, 0].forEach((value, at) => host.write(setLines(at + 1, value)));
    await host.until(() => chip.chip.state === "download");
    host.bytes = Buffer.alloc(0);
    host.write(encodeSubmit({ sequence: 9, isIn: true, endpoint: 1, lengthBytes: 4096 }));
    await host.until(() => host.bytes.includes("waiting for download"));
    expect(host.isClosed).toBe(false);
  });

  it("answers the request that resets a chip with its own USB, and then loses it for a moment", async () => {
    const { server, chip } = await start(true);
    const host = await imported(server.port);
    host.write(setLines(1, 2));
    await host.until(() => host.isClosed);
    expect(host.bytes.readUInt32BE(4)).toBe(1);
    expect(chip.device.isFree).toBe(false);
    while ((await list(server.port))?.length !== 1) expect(chip.device.isAttached).toBe(false);
    const again = await imported(server.port);
    again.write(encodeSubmit({ sequence: 1, isIn: true, endpoint: 1, lengthBytes: 4096 }));
    await again.until(() => again.bytes.includes("rst:0x15"));
    expect(chip.chip.state).toBe("application");
  });

  it("ends a connection that does not speak the protocol", async () => {
    const { server } = await start(false);
    const stranger = new Connection(server.port);
    stranger.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await stranger.until(() => stranger.isClosed);
    expect(stranger.bytes.length).toBe(0);
  });

  it("is not for other machines unless that is allowed", async () => {
    const clock = new RealTime().lane(0);
    const opening = startUsbipServer({ clock, devices: [], host: "0.0.0.0" });
    await expect(opening).rejects.toMatchObject({ code: "BOARD_USB_INSECURE" });
  });

  it("says when its port is taken", async () => {
    const { server } = await start(false);
    const second = startUsbipServer({ clock: new RealTime().lane(0), devices: [], port: server.port });
    await expect(second).rejects.toMatchObject({ code: "BOARD_USB_UNAVAILABLE" });
  });
});

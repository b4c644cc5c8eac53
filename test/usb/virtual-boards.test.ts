import { BoardLink, type Hello, type ModemLines, silentLinkHandlers } from "fleetrig/hil";
import { createRandomSource, RealTime } from "fleetrig/kernel";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { BoardRig, control } from "../cli/board-rig.js";
import { until } from "../hil/virtual/rig.js";
import { lacksCompiler, lacksEmulator } from "../rigs.js";
import { UsbCable, type UsbCableOptions } from "./usb-cable.js";

const rig = new BoardRig();
const PATIENT_MS = 30_000;
const RELEASED: ModemLines = { dtr: false, rts: false };
const IN_RESET: ModemLines = { dtr: false, rts: true };
const WITH_IO0_LOW: ModemLines = { dtr: true, rts: false };

afterAll(async () => {
  expect(await rig.stop()).not.toContain(3);
});

/** A program on the host that has the board's tty open. */
class Desk {
  text = "";
  hello: Hello | undefined;
  private readonly time = new RealTime();
  private readonly link: BoardLink;
  cable: UsbCable;

  constructor(private readonly options: Omit<UsbCableOptions, "received">) {
    const clock = this.time.lane(0);
    this.link = new BoardLink({
      clock,
      random: createRandomSource(3).stream("link"),
      write: (bytes) => this.cable.write(bytes),
      handlers: {
        ...silentLinkHandlers,
        opened: (hello) => (this.hello = hello),
        text: (bytes) => (this.text += Buffer.from(bytes).toString("latin1")),
      },
    });
    this.cable = this.plug();
    onTestFinished(() => {
      this.link.stop();
      this.cable.unplug();
      this.time.stop();
    });
  }

  /** Plugs the cable in again. */
  attach(): void {
    this.cable = this.plug();
  }

  private plug(): UsbCable {
    const clock = this.time.lane(0);
    return new UsbCable({
      ...this.options,
      received: (bytes) => this.link.received(bytes, clock.nowUs()),
    });
  }

  async says(text: string): Promise<void> {
    await until(
      () => this.text.includes(text),
      PATIENT_MS,
      () => `${text} in ${JSON.stringify(this.text)}`,
    );
    this.text = "";
  }

  /** What the board says of itself in a session. */
  async ask(): Promise<Hello> {
    this.hello = undefined;
    this.link.start();
    await until(() => this.hello !== undefined, PATIENT_MS);
    this.link.stop();
    return this.hello!;
  }
}

async function start(line: string, adapter: UsbCableOptions["adapter"]) {
  const board = await rig.start(`${line} --usbip ${adapter} --usbip-port 0`);
  return { board, desk: new Desk({ ...board.usbip!, adapter }) };
}

describe.skipIf(lacksCompiler)("fleetrig board virtual --usbip", () => {
  it("offers a board as an adapter whose lines reset it, in place of a tty", async () => {
    const { board, desk } = await start("--kind native", "cp2102");
    expect(board.port).toBeUndefined();
    expect(await rig.output("list --json")).not.toContain(board.mac);
    await desk.says("Loaded app from slot");
    const before = await desk.ask();
    expect(before.mac).toBe(board.mac);
    desk.cable.setLines(IN_RESET);
    desk.cable.setLines(RELEASED);
    await desk.says("Loaded app from slot");
    const after = await desk.ask();
    expect([after.boots, after.reset]).toEqual([before.boots + 1, "POWERON"]);
    expect(desk.cable.isGone).toBe(false);
  });

  it("has its control socket cut the power and pull the cable", async () => {
    const { board, desk } = await start("--kind native", "cp2102");
    await desk.says("Loaded app from slot");
    await control(board.control, { op: "power", on: false });
    await control(board.control, { op: "power", on: true });
    await desk.says("Loaded app from slot");
    await control(board.control, { op: "plug", in: false });
    await until(() => desk.cable.isGone);
    await control(board.control, { op: "plug", in: true });
    desk.attach();
    expect((await desk.ask()).mac).toBe(board.mac);
  });

  it("takes a USB-Serial-JTAG off the bus while the board restarts", async () => {
    const { board, desk } = await start("--kind native", "usb-jtag");
    await desk.says("Loaded app from slot");
    const serial = desk.cable.host.control(0x80, 6, 0x0303, { index: 0x409, length: 64 });
    await until(() => desk.cable.host.reply(serial) !== undefined);
    const text = Buffer.from(desk.cable.host.reply(serial)!.data.subarray(2)).toString("utf16le");
    expect(text.replaceAll(":", "").toLowerCase()).toBe(board.mac);
    desk.cable.setLines(IN_RESET);
    await until(() => desk.cable.isGone);
    await until(() => {
      if (desk.cable.isGone) desk.attach();
      return desk.text.includes("Loaded app from slot");
    }, PATIENT_MS);
  });

  it("says how to attach them", async () => {
    const command = rig.begin("virtual --kind native --count 2 --usbip ch340 --usbip-port 0");
    await until(() => command.written.stdout.includes("ready"), PATIENT_MS);
    expect(command.written.stdout).toMatch(
      /sudo modprobe vhci-hcd\n {2}sudo usbip --tcp-port \d+ attach -r 127\.0\.0\.1 -b 1-\d+\n {2}sudo usbip/,
    );
    command.interrupt();
    expect(await command.code).toBe(0);
  });

  it.each([
    ["--kind rom --usbip", "BOARD_UNSUPPORTED"],
    ["--usbip --native-usb", "cannot be used with"],
    ["--usbip --usbip-port 65536", "from 0 to 65535"],
  ])("refuses %s", async (line, problem) => {
    const { code, stderr } = await rig.run(`virtual ${line}`);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });
});

describe.skipIf(lacksEmulator)("fleetrig board virtual --usbip with a ROM", () => {
  it("enters its loader and leaves it as the lines say", async () => {
    const { desk } = await start("--kind rv32", "cp2102");
    await desk.says("Loaded app from slot");
    for (const lines of [IN_RESET, WITH_IO0_LOW]) desk.cable.setLines(lines);
    await desk.says("waiting for download");
    for (const lines of [RELEASED, IN_RESET, RELEASED]) desk.cable.setLines(lines);
    await desk.says("Loaded app from slot");
  });
});

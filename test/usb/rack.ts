import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildFirmware,
  type ChipApplication,
  MemoryFlash,
  startUsbipServer,
  UsbChip,
  type UsbPeer,
  type UsbSerialDevice,
  type UsbSerialKind,
  type UsbipServer,
} from "fleetrig/hil";
import { type Clock, LANE, RealTime } from "fleetrig/kernel";
import { boardProgram } from "../../hil/virtual/board-programs.js";
import { HostedBoard } from "../../hil/virtual/hosted-board.js";
import { Reaper } from "../../hil/virtual/reaper.js";
import { SparePrograms } from "../../hil/virtual/spare-programs.js";
import { UsbLine } from "../../hil/virtual/usbip/usb-line.js";
import { BOARDS, type RackAnswer, type RackRequest, type Seen } from "./rack-protocol.js";

interface Place {
  readonly device: UsbSerialDevice;
  readonly state: () => string;
  readonly plug: (isIn: boolean) => void | Promise<void>;
  readonly flash: MemoryFlash | undefined;
  lines: Seen["lines"][number][];
  bauds: number[];
}

/** The boards, on this side of the guest, and what a hand would do to them. */
export class Rack {
  readonly time = new RealTime();
  private readonly clock: Clock = this.time.lane(LANE.bench);
  private readonly folder = mkdtempSync(join(tmpdir(), "fleetrig-usb-rack-"));
  private readonly places = new Map<string, Place>();
  private readonly firmwares: HostedBoard[] = [];
  private readonly control: Server = createServer((socket) => this.serve(socket));
  private usbip!: UsbipServer;

  /** @param buildFolder Where builds of the firmware are kept. */
  async start(buildFolder: string): Promise<void> {
    const { image } = await buildFirmware({ target: "native", outDir: buildFolder });
    await this.addFirmware("jtag", "usb-jtag", image);
    await this.addFirmware("cp2102", "cp2102", image);
    this.addChip("jtagChip", "usb-jtag");
    this.addChip("cp2102Chip", "cp2102");
    this.addChip("ch340", "ch340");
    this.addChip("ch340Other", "ch340");
    const devices = [...this.places.values()].map(({ device }) => device);
    this.usbip = await startUsbipServer({ clock: this.clock, devices });
    await new Promise<void>((resolve) => this.control.listen(0, "127.0.0.1", resolve));
  }

  /** Of the USB/IP server, and of the rack itself. */
  get ports(): { readonly usbip: number; readonly rack: number } {
    return { usbip: this.usbip.port, rack: (this.control.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    await Promise.all(this.firmwares.map((board) => board.stop()));
    this.control.close();
    await this.usbip.close();
    this.time.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The reference firmware, as a process of this machine. */
  private async addFirmware(
    name: keyof typeof BOARDS,
    adapter: UsbSerialKind,
    firmware: string,
  ): Promise<void> {
    const { bus, mac } = BOARDS[name];
    const { clock } = this;
    const environment = process.env;
    const reaper = new Reaper();
    const stateFolder = join(this.folder, mac);
    let line!: UsbLine;
    let isOn = false;
    const board = new HostedBoard({
      plan: {
        kind: "native",
        mac,
        chip: "posix",
        tags: [],
        program: boardProgram("native", { firmware, mac, stateFolder, node: process.execPath }),
        usb: adapter === "usb-jtag" ? "native" : "bridge",
        registryFolder: this.folder,
        control: join(this.folder, `${mac}.sock`),
        isOff: false,
      },
      clock,
      reaper,
      spares: new SparePrograms({ reaper, clock, environment }),
      environment,
      line: (handlers) =>
        (line = new UsbLine({ adapter, busId: bus, mac, clock, watch: this.watch(bus) }, handlers)),
      status: ({ pid }) => (isOn = pid !== undefined),
      log: (text) => console.log(`  ${name}: ${text}`),
    });
    await board.start();
    this.firmwares.push(board);
    this.put(bus, {
      device: line.device,
      state: () => (isOn ? "application" : "off"),
      plug: async (isIn) => {
        await board.do({ op: "plug", in: isIn });
        // The cable carries its power.
        await board.do({ op: "power", on: isIn });
      },
      flash: undefined,
    });
  }

  private addChip(name: keyof typeof BOARDS, kind: UsbSerialKind): void {
    const { bus, mac } = BOARDS[name];
    const flash = new MemoryFlash(4 * 1024 * 1024);
    const chip = new UsbChip({
      kind,
      busId: bus,
      mac,
      flash,
      chip: "esp32c3",
      clock: this.clock,
      vanishes: false,
      isBootable: () => true,
      application: answering,
      watch: this.watch(bus),
    });
    this.put(bus, {
      device: chip.device,
      state: () => chip.chip.state,
      plug: (isIn) => (isIn ? chip.plug() : chip.unplug()),
      flash,
    });
  }

  private put(bus: string, place: Omit<Place, "lines" | "bauds">): void {
    this.places.set(bus, { ...place, lines: [], bauds: [] });
  }

  private watch(bus: string): UsbPeer {
    return {
      received: () => undefined,
      lines: (lines) => void this.places.get(bus)?.lines.push(lines),
      baud: (baud) => void this.places.get(bus)?.bauds.push(baud),
    };
  }

  private serve(socket: Socket): void {
    let text = "";
    let last = Promise.resolve();
    socket.setEncoding("utf8");
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece: string) => {
      const lines = (text + piece).split("\n");
      text = lines.pop()!;
      for (const line of lines) last = this.answerAfter(last, JSON.parse(line) as RackRequest, socket);
    });
  }

  private async answerAfter(before: Promise<void>, request: RackRequest, socket: Socket): Promise<void> {
    await before;
    socket.write(`${JSON.stringify(await this.answer(request))}\n`);
  }

  private async answer(request: RackRequest): Promise<RackAnswer> {
    const place = this.places.get(request.bus);
    if (place === undefined) return { ok: false, reason: `nothing at ${request.bus}` };
    switch (request.op) {
      case "plug":
        await place.plug(request.in);
        return { ok: true, value: null };
      case "trouble":
        place.device.trouble = request.trouble ?? undefined;
        return { ok: true, value: null };
      case "seen": {
        const seen: Seen = { lines: place.lines, bauds: place.bauds, state: place.state() };
        place.lines = [];
        place.bauds = [];
        return { ok: true, value: seen };
      }
      case "flash": {
        const bytes = place.flash?.read(request.offset, request.lengthBytes);
        return { ok: true, value: bytes === undefined ? null : Buffer.from(bytes).toString("hex") };
      }
    }
  }
}

/** A program that answers each ping. */
function answering(send: (bytes: Uint8Array) => void): ChipApplication {
  let text = "";
  return {
    start: () => {
      text = "";
      send(Buffer.from("ready\r\n"));
    },
    stop: () => undefined,
    receive: (bytes) => {
      const lines = (text + Buffer.from(bytes).toString("latin1")).split("\n");
      text = lines.pop()!.slice(-200);
      for (const line of lines) {
        // Before it: boot text that the kernel echoed to the board before the terminal was made raw.
        const number = /ping (\d{1,9})$/.exec(line)?.[1];
        if (number !== undefined) send(Buffer.from(`pong ${number}\n`));
      }
    },
  };
}

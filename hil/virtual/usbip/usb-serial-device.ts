import { type Clock, invariant, type Timer } from "fleetrig/kernel";
import type { ModemLines } from "../../port/port.js";
import { cp2102 } from "./cp210x.js";
import { usbSerialJtag } from "./cdc-acm.js";
import { ch340 } from "./ch340.js";
import { descriptorOf } from "./usb-descriptors.js";
import type { SerialRequests, UsbFunction } from "./usb-function.js";
import { type DeviceSummary, type SubmittedUrb, URB_STATUS, type UrbResult } from "./usbip-messages.js";

/** A board's USB-Serial-JTAG, or an adapter in front of its UART. */
export const USB_SERIAL_KINDS = ["cp2102", "ch340", "usb-jtag"] as const;
export type UsbSerialKind = (typeof USB_SERIAL_KINDS)[number];

/** What hangs behind the USB end. */
export interface UsbPeer {
  received(bytes: Uint8Array): void;
  /** Both lines in one request, as drivers set them. All of them are released when the host lets go of the device. */
  lines?(lines: ModemLines): void;
  baud?(baud: number): void;
}

/** The host, as a device sees it. */
export interface UsbHost {
  result(result: UrbResult): void;
  /** The device has left the bus. */
  gone(): void;
}

export interface UsbSerialDeviceOptions {
  readonly kind: UsbSerialKind;
  /** Its name at the server, such as `1-1`: bus, and socket on it. */
  readonly busId: string;
  /** The MAC of a USB-Serial-JTAG; a CP2102's is `0001` by default; a CH340 has none. */
  readonly serial?: string;
  readonly clock: Clock;
  readonly peer: UsbPeer;
  /** Sees what the host asks for, before the peer does. */
  readonly watch?: Partial<UsbPeer>;
}

/** What can be wrong with it. `wedged`: no request is answered any more. `refusing`: those of its class are answered with a stall. */
export type UsbTrouble = "wedged" | "refusing";

const FUNCTIONS: Readonly<
  Record<UsbSerialKind, (serial: string | undefined, host: SerialRequests) => UsbFunction>
> = {
  "usb-jtag": (serial = "00:00:00:00:00:00", host) => usbSerialJtag(serial, host),
  cp2102: (serial = "0001", host) => cp2102(serial, host),
  ch340: (_serial, host) => ch340(host),
};

/** What a device keeps while no program reads: the FIFO of a bridge, and what an ESP32's ROM and console hold back. */
const FIFO_BYTES: Readonly<Record<UsbSerialKind, number>> = { "usb-jtag": 4096, cp2102: 640, ch340: 640 };
/** What it keeps for a program that reads. There is no UART whose rate would bound it. */
const UNREAD_MAX_BYTES = 65_536;
const STANDARD = {
  clearFeature: 1,
  getDescriptor: 6,
  setConfiguration: 9,
  getStatus: 0,
  getInterface: 10,
  setInterface: 11,
};
const BUS_ID = /^([1-9]\d{0,2})-([1-9]\d{0,3})$/;
const RELEASED: ModemLines = { dtr: false, rts: false };

const watched = ({ peer, watch }: UsbSerialDeviceOptions): Required<UsbPeer> => ({
  received: (bytes) => {
    watch?.received?.(bytes);
    peer.received(bytes);
  },
  lines: (lines) => {
    watch?.lines?.(lines);
    peer.lines?.(lines);
  },
  baud: (baud) => {
    watch?.baud?.(baud);
    peer.baud?.(baud);
  },
});

/** One device on a virtual bus: answers what a host's USB stack submits. Sans-I/O; its bus is a `UsbipSession`. */
export class UsbSerialDevice {
  readonly busId: string;
  readonly summary: DeviceSummary;
  trouble: UsbTrouble | undefined;
  /** Bytes of the board that nobody read. */
  lostBytes = 0;
  private readonly peer: Required<UsbPeer>;
  private readonly function_: UsbFunction;
  private readonly fifoBytes: number;
  private readonly reads: SubmittedUrb[] = [];
  /** Interrupt endpoints have nothing to say, and a wedged device answers nothing. */
  private readonly unanswered = new Set<number>();
  private unread: Uint8Array = new Uint8Array();
  private host: UsbHost | undefined;
  private isPlugged = true;
  private hasReader = false;
  private isAnswering = false;
  private absence: { readonly us: number } | undefined;
  private comeback: Timer | undefined;

  constructor(private readonly options: UsbSerialDeviceOptions) {
    const { busId, kind, serial } = options;
    const [, bus, number] = BUS_ID.exec(busId) ?? [];
    invariant(bus !== undefined && number !== undefined, `a bus id such as 1-1, not ${busId}`);
    this.busId = busId;
    this.fifoBytes = FIFO_BYTES[kind];
    this.peer = watched(options);
    this.function_ = FUNCTIONS[kind](serial, this.peer);
    const { vendorId, productId, release, deviceClass, interfaces } = this.function_.descriptors;
    this.summary = {
      busId,
      vendorId,
      productId,
      release,
      deviceClass,
      busNumber: Number(bus),
      deviceNumber: Number(number),
      configuration: 1,
      interfaces: interfaces.map(({ triple }) => triple),
    };
  }

  /** It is in its socket, and no host has it. */
  get isFree(): boolean {
    return this.isPlugged && this.host === undefined;
  }

  get isAttached(): boolean {
    return this.host !== undefined;
  }

  /** @returns false when it is not there, or another host has it */
  attach(host: UsbHost): boolean {
    if (!this.isFree) return false;
    this.host = host;
    this.function_.reset();
    return true;
  }

  /** The host lets go of it. */
  detach(): void {
    if (this.host === undefined) return;
    this.host = undefined;
    this.reads.length = 0;
    this.unanswered.clear();
    this.hasReader = false;
    this.peer.lines(RELEASED);
  }

  /** What the host had not read is lost. */
  unplug(): void {
    this.comeback?.cancel();
    this.unread = new Uint8Array();
    this.leave();
  }

  plug(): void {
    this.comeback?.cancel();
    this.isPlugged = true;
  }

  /** Leaves the bus and comes back, as a chip's own USB does when the chip starts anew. The request that caused it is answered first. */
  reenumerate(awayUs: number): void {
    if (!this.isPlugged) return;
    this.unread = new Uint8Array();
    this.absence = { us: awayUs };
    if (!this.isAnswering) this.vanish();
  }

  /** Bytes of the board. */
  send(bytes: Uint8Array): void {
    const room = (this.hasReader ? UNREAD_MAX_BYTES : this.fifoBytes) - this.unread.length;
    const taken = bytes.subarray(0, Math.max(0, room));
    this.lostBytes += bytes.length - taken.length;
    this.unread = this.unread.length === 0 ? taken.slice() : Buffer.concat([this.unread, taken]);
    this.serve();
  }

  submit(urb: SubmittedUrb): void {
    if (this.trouble === "wedged") this.unanswered.add(urb.sequence);
    else if (urb.endpoint === 0) this.answerControl(urb);
    else if (urb.isIn) this.read(urb);
    else this.write(urb);
  }

  /** @returns false when the request had been answered */
  unlink(sequence: number): boolean {
    if (this.unanswered.delete(sequence)) return true;
    const at = this.reads.findIndex((urb) => urb.sequence === sequence);
    if (at < 0) return false;
    this.reads.splice(at, 1);
    if (this.reads.length === 0) this.hasReader = false;
    return true;
  }

  /** How many requests wait for an answer. */
  get pendingRequests(): number {
    return this.reads.length + this.unanswered.size;
  }

  private read(urb: SubmittedUrb): void {
    if (urb.endpoint !== this.function_.bulkIn) {
      this.unanswered.add(urb.sequence);
      return;
    }
    this.hasReader = true;
    this.reads.push(urb);
    this.serve();
  }

  private write({ sequence, endpoint, data }: SubmittedUrb): void {
    if (endpoint !== this.function_.bulkOut) {
      this.host?.result({ sequence, status: URB_STATUS.stall, actualBytes: 0 });
      return;
    }
    this.host?.result({ sequence, status: URB_STATUS.ok, actualBytes: data.length });
    this.peer.received(data);
  }

  private serve(): void {
    while (this.unread.length > 0 && this.trouble !== "wedged") {
      const urb = this.reads.shift();
      if (urb === undefined) return;
      const data = this.unread.subarray(0, urb.lengthBytes);
      this.unread = this.unread.subarray(data.length);
      this.host?.result({ sequence: urb.sequence, status: URB_STATUS.ok, actualBytes: data.length, data });
    }
  }

  private answerControl({ sequence, isIn, lengthBytes, setup, data }: SubmittedUrb): void {
    this.isAnswering = true;
    const isStandard = (setup.requestType & 0x60) === 0;
    const answer = isStandard ? this.standard(setup) : this.own(setup, data);
    this.isAnswering = false;
    if (answer === undefined) this.host?.result({ sequence, status: URB_STATUS.stall, actualBytes: 0 });
    else if (isIn) {
      const piece = answer.subarray(0, Math.min(setup.lengthBytes, lengthBytes));
      this.host?.result({ sequence, status: URB_STATUS.ok, actualBytes: piece.length, data: piece });
    } else this.host?.result({ sequence, status: URB_STATUS.ok, actualBytes: data.length });
    if (this.absence !== undefined) this.vanish();
  }

  private own(...request: Parameters<UsbFunction["control"]>): Uint8Array | undefined {
    return this.trouble === "refusing" ? undefined : this.function_.control(...request);
  }

  /** [USB 2.0 §9.4] */
  private standard({ request, value }: SubmittedUrb["setup"]): Uint8Array | undefined {
    switch (request) {
      case STANDARD.getDescriptor:
        return descriptorOf(this.function_.descriptors, value >>> 8, value & 0xff);
      case STANDARD.getStatus:
        return Uint8Array.of(0, 0);
      case STANDARD.getInterface:
        return Uint8Array.of(0);
      case STANDARD.clearFeature:
      case STANDARD.setConfiguration:
      case STANDARD.setInterface:
        return new Uint8Array();
      default:
        return undefined;
    }
  }

  private vanish(): void {
    const { absence } = this;
    this.absence = undefined;
    this.leave();
    if (absence !== undefined) this.comeback = this.options.clock.after(absence.us, () => this.plug());
  }

  private leave(): void {
    this.isPlugged = false;
    const { host } = this;
    this.detach();
    host?.gone();
  }
}

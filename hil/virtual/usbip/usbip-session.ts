import type { UsbSerialDevice } from "./usb-serial-device.js";
import {
  encodeDeviceList,
  encodeImport,
  encodeUnlinkResult,
  encodeUrbResult,
  UsbipDecoder,
  type UsbipRequest,
} from "./usbip-messages.js";

/** Drivers of serial ports keep a few dozen. */
const MAX_PENDING_REQUESTS = 256;

export interface UsbipSessionOptions {
  readonly devices: () => readonly UsbSerialDevice[];
  readonly send: (bytes: Uint8Array) => void;
  /** Nothing more comes from this side; what was sent is still to arrive. */
  readonly finish: () => void;
}

/** One connection: a list, or one device from its import until either side lets go. Sans-I/O. */
export class UsbipSession {
  private readonly decoder = new UsbipDecoder((request) => this.handle(request));
  private device: UsbSerialDevice | undefined;
  private isOver = false;

  constructor(private readonly options: UsbipSessionOptions) {}

  /** The host has imported a device. */
  get isImported(): boolean {
    return this.device !== undefined;
  }

  push(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.decoder.push(bytes);
    if (this.decoder.violation !== undefined) this.close();
  }

  /** The connection has ended. */
  ended(): void {
    this.isOver = true;
    this.device?.detach();
    this.device = undefined;
  }

  private handle(request: UsbipRequest): void {
    if (this.isOver) return;
    if (request.kind === "list") {
      const present = this.options.devices().filter(({ isFree }) => isFree);
      this.options.send(encodeDeviceList(present.map(({ summary }) => summary)));
      this.close();
    } else if (request.kind === "import") this.import(request.busId);
    else if (request.kind === "submit") {
      this.device?.submit(request);
      if ((this.device?.pendingRequests ?? 0) > MAX_PENDING_REQUESTS) this.close();
    } else {
      const isUnlinked = this.device?.unlink(request.unlinks) === true;
      this.options.send(encodeUnlinkResult(request.sequence, isUnlinked));
    }
  }

  private import(busId: string): void {
    const device = this.options.devices().find((one) => one.busId === busId);
    const isMine = device?.attach({
      result: (result) => this.options.send(encodeUrbResult(result)),
      gone: () => this.close(),
    });
    this.options.send(encodeImport(isMine === true ? device?.summary : undefined));
    if (isMine !== true) {
      this.close();
      return;
    }
    this.device = device;
    this.decoder.imported();
  }

  private close(): void {
    if (this.isOver) return;
    this.ended();
    this.options.finish();
  }
}

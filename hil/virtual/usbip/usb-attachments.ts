import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { type Clock, FleetrigError, type Timer, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import {
  decodeDeviceList,
  decodeImport,
  encodeImportRequest,
  encodeListRequest,
  IMPORT_REPLY_BYTES,
} from "./usbip-messages.js";

/** Where the kernel's virtual host controller is. */
const CONTROLLER = "/sys/devices/platform/vhci_hcd.0";
const LOOK_US = 50 * US_PER_MS;
const ANSWER_US = 3 * US_PER_S;
/** Of a list; it has no business being longer. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** `hs  0003 004 000 ...`: a socket of the high-speed hub in which nothing is. */
const FREE_SOCKET = /^hs\s+(\d+)\s+004\s/gm;

export interface UsbAttachmentsOptions {
  readonly clock: Clock;
  /** Of the USB/IP server. */
  readonly host: string;
  readonly port: number;
  /** Which socket of the virtual hub a device is plugged into, counted from 0. Default: the first one that is free. */
  readonly socketOf?: (busId: string) => number | undefined;
  /** What could not be attached, and why. */
  readonly note?: (sentence: string) => void;
}

/**
 * Keeps the devices of a USB/IP server attached to this machine: those that leave the bus are attached again when they come back, as on a real one.
 * Needs Linux with the module `vhci-hcd`, and root.
 */
export class UsbAttachments {
  private readonly timer: Timer;
  private isStopped = false;
  /** One at a time: sockets of the hub are counted before each. */
  private isLooking = false;

  /** @throws FleetrigError BOARD_USB_HOST */
  constructor(private readonly options: UsbAttachmentsOptions) {
    freeSockets();
    this.timer = options.clock.after(0, () => void this.look());
  }

  /** What is attached stays so until its server ends. */
  stop(): void {
    this.isStopped = true;
    this.timer.cancel();
  }

  private async look(): Promise<void> {
    if (this.isLooking || this.isStopped) return;
    this.isLooking = true;
    try {
      for (const busId of await this.list()) await this.attach(busId);
    } catch (error) {
      this.options.note?.(error instanceof Error ? error.message : String(error));
    }
    this.isLooking = false;
    if (!this.isStopped) this.timer.again(LOOK_US);
  }

  private async list(): Promise<readonly string[]> {
    const { socket, answer } = await this.ask(encodeListRequest(), (bytes) => decodeDeviceList(bytes));
    socket.destroy();
    return answer;
  }

  private async attach(busId: string): Promise<void> {
    const free = freeSockets();
    const wanted = this.options.socketOf?.(busId);
    const place = wanted === undefined || !free.includes(wanted) ? free[0] : wanted;
    if (place === undefined) return;
    const { socket, answer } = await this.ask(encodeImportRequest(busId), (bytes) =>
      bytes.length > IMPORT_REPLY_BYTES ? { isRefused: true as const } : decodeImport(bytes),
    );
    // The kernel takes the connection over; closing this process's descriptor of it does not end it.
    const fd = descriptorOf(socket);
    if (!answer.isRefused && fd !== undefined)
      writeFileSync(`${CONTROLLER}/attach`, `${place} ${fd} ${answer.deviceId} ${answer.speed}`);
    socket.destroy();
  }

  private ask<T>(
    request: Uint8Array,
    decode: (bytes: Buffer) => T | undefined,
  ): Promise<{ readonly socket: Socket; readonly answer: T }> {
    const { host, port, clock } = this.options;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const fail = (reason: string): void => {
        patience.cancel();
        socket.destroy();
        reject(failed(`The USB/IP server ${host}:${port} does not answer: ${reason}.`));
      };
      const patience = clock.after(ANSWER_US, () => fail("nothing came in time"));
      let bytes: Buffer = Buffer.alloc(0);
      socket.on("error", (error) => fail(error.message));
      socket.on("end", () => fail("it hung up"));
      socket.on("connect", () => socket.write(request));
      socket.on("data", (piece) => {
        bytes = Buffer.concat([bytes, piece]);
        if (bytes.length > MAX_ANSWER_BYTES) return fail("its answer is too long");
        const answer = decode(bytes);
        if (answer === undefined) return;
        patience.cancel();
        socket.pause();
        socket.removeAllListeners("end");
        resolve({ socket, answer });
      });
    });
  }
}

/** @throws FleetrigError BOARD_USB_HOST */
function freeSockets(): readonly number[] {
  try {
    const status = readFileSync(`${CONTROLLER}/status`, "utf8");
    return [...status.matchAll(FREE_SOCKET)].map(([, number]) => Number(number));
  } catch (cause) {
    throw failed("This machine has no virtual USB host controller.", cause);
  }
}

/** Node has no public name for it. */
const descriptorOf = (socket: Socket): number | undefined =>
  (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;

const failed = (sentence: string, cause?: unknown): FleetrigError =>
  new FleetrigError("BOARD_USB_HOST", sentence, {
    hint: "Attaching needs Linux, root and `modprobe vhci-hcd`.",
    ...(cause !== undefined && { cause }),
  });

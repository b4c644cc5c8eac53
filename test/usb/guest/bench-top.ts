import { type AttachedPort, hostSystemFiles, listPorts, UsbAttachments } from "fleetrig/hil";
import { type Clock, LANE, RealTime } from "fleetrig/kernel";
import { SpareProcesses } from "../../../hil/port/spare-processes.js";
import { BOARDS, type BoardName } from "../rack-protocol.js";
import { encodeReport } from "../report.js";
import { HOST, type RackClient } from "./rack-client.js";

/** A guest without an accelerator is slow, which is no stall. */
export const PATIENT_US = 20_000_000;

/** What all checks work with: the boards' devices as this kernel shows them. */
export class BenchTop {
  readonly time = new RealTime((error) => {
    throw error;
  });
  readonly clock: Clock = this.time.lane(LANE.bench);
  /** In which socket of the hub a board's device is to be plugged. */
  readonly sockets = new Map<string, number>(Object.values(BOARDS).map(({ bus }, index) => [bus, index]));
  /** To start a process takes the guest several seconds. */
  readonly spares = new SpareProcesses(this.clock);
  private attachments: UsbAttachments | undefined;

  constructor(
    readonly rack: RackClient,
    readonly usbipPort: number,
  ) {}

  /** From now on what is in a socket is attached. */
  attach(): void {
    this.attachments = new UsbAttachments({
      clock: this.clock,
      host: HOST,
      port: this.usbipPort,
      note: (sentence) => console.log(sentence),
      socketOf: (busId) => this.sockets.get(busId),
    });
  }

  /** The port whose device is in the socket of this board. */
  find(board: BoardName): AttachedPort | undefined {
    const place = this.sockets.get(BOARDS[board].bus)!;
    return this.ports().find(({ usb }) => usb?.path.endsWith(`-${place + 1}`));
  }

  port(board: BoardName): AttachedPort {
    const port = this.find(board);
    if (port === undefined) throw new Error(`${board} is not there`);
    return port;
  }

  /** Without the guest's own UART. */
  ports(): readonly AttachedPort[] {
    return listPorts(hostSystemFiles).filter(({ usb }) => usb !== undefined);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms * 1000, resolve));
  }

  /** Waits until it is so. @returns how long that took, in ms */
  async until(
    what: string | (() => string),
    isSo: () => boolean | Promise<boolean>,
    withinMs = 20_000,
  ): Promise<number> {
    const sinceUs = this.clock.nowUs();
    while (!(await isSo())) {
      if (this.clock.nowUs() - sinceUs > withinMs * 1000)
        throw new Error(`not within ${withinMs} ms: ${typeof what === "string" ? what : what()}`);
      await this.pause(10);
    }
    return (this.clock.nowUs() - sinceUs) / 1000;
  }

  figure(name: string, value: number, unit: string): void {
    console.log(encodeReport({ figure: name, value: Math.round(value * 10) / 10, unit }));
  }

  stop(): void {
    this.attachments?.stop();
    this.rack.close();
    this.time.stop();
  }
}

export type Check = readonly [name: string, run: (top: BenchTop) => Promise<void>];

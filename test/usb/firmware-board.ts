import { type ChildProcess, spawn } from "node:child_process";
import { UsbSerialDevice, type UsbPeer, type UsbSerialKind } from "fleetrig/hil";
import type { Clock } from "fleetrig/kernel";
import { Strapping } from "../../hil/virtual/rom/strapping.js";

const REENUMERATION_US = 150_000;

export interface FirmwareBoardOptions {
  readonly kind: UsbSerialKind;
  readonly bus: string;
  readonly mac: string;
  /** Program of the native firmware. */
  readonly elf: string;
  /** File with its flash. */
  readonly flash: string;
  readonly clock: Clock;
  readonly watch: UsbPeer;
}

/** The reference firmware, as a process of this machine, behind a USB device: its lines end and start the process. */
export class FirmwareBoard {
  readonly device: UsbSerialDevice;
  private readonly strapping: Strapping;
  private process: ChildProcess | undefined;
  private isOn = true;

  constructor(private readonly options: FirmwareBoardOptions) {
    const { kind, bus, mac, clock, watch } = options;
    const isOwnUsb = kind === "usb-jtag";
    this.strapping = new Strapping({
      clock,
      wiring: isOwnUsb ? "usb" : "classic",
      held: () => {
        this.stop();
        if (isOwnUsb) this.device.reenumerate(REENUMERATION_US);
      },
      released: () => this.start(),
    });
    this.device = new UsbSerialDevice({
      kind,
      busId: bus,
      clock,
      ...(isOwnUsb && { serial: mac.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:") }),
      peer: {
        received: (bytes) => this.process?.stdin?.write(bytes),
        lines: (lines) => {
          watch.lines?.(lines);
          this.strapping.set(lines);
        },
        baud: (baud) => watch.baud?.(baud),
      },
    });
    this.start();
  }

  get state(): string {
    return this.process === undefined ? "off" : "application";
  }

  /** The cable carries its power. */
  plug(isIn: boolean): void {
    this.isOn = isIn;
    if (isIn) {
      this.device.plug();
      this.start();
    } else {
      this.device.unplug();
      this.stop();
    }
  }

  stop(): void {
    this.process?.kill("SIGKILL");
    this.process = undefined;
  }

  private start(): void {
    if (!this.isOn || this.process !== undefined) return;
    const { elf, flash, mac } = this.options;
    const child = spawn(elf, ["--flash", flash, "--power-cycle"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, BOARD_MAC: mac, BOARD_FLASH: flash, FLEETRIG_RESET_REASON: "POWERON" },
    });
    this.process = child;
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (bytes: Buffer) => {
      if (this.process === child) this.device.send(bytes);
    });
    child.once("exit", () => {
      if (this.process !== child) return;
      this.process = undefined;
      this.start();
    });
  }
}

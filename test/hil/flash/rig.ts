import {
  type BootControl,
  ChipSocket,
  type ChipSocketOptions,
  type FlashLine,
  MemoryFlash,
  NO_POWER,
  openFlashLine,
  type Port,
  provenBoot,
  ResetEngine,
  VolatileResetMemory,
} from "fleetrig/hil";
import { type Clock, hostYield, VirtualTime } from "fleetrig/kernel";

export const MAC = "7cdfa1001122";

/** A virtual chip on a memory port in virtual time. */
export class FlashRig {
  readonly time = new VirtualTime();
  readonly clock: Clock = this.time.lane(0);
  readonly flash: MemoryFlash;
  readonly socket: ChipSocket;
  /** Text that the chip's ROM and application have printed. */
  printed = "";

  constructor(options: Partial<ChipSocketOptions> & { readonly flashBytes?: number } = {}) {
    const { flashBytes = 2 ** 22, ...rest } = options;
    this.flash = new MemoryFlash(flashBytes);
    this.socket = new ChipSocket({
      chip: "esp32c3",
      mac: MAC,
      flash: this.flash,
      isBootable: () => true,
      ...rest,
      clock: this.clock,
    });
    this.socket.chip.powerOn();
  }

  readonly open = async (): Promise<FlashLine> => {
    const line = await openFlashLine(
      this.socket,
      { address: { kind: "tty", path: "/dev/ttyUSB0" }, baud: 115_200 },
      linesBoot(this.clock),
    );
    line.listen({
      received: (bytes) => (this.printed += Buffer.from(bytes).toString("latin1")),
      closed: () => {},
    });
    return line;
  };

  /** Lets virtual time pass until the promise has settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    const progress = { isSettled: false };
    const watched = promise.finally(() => (progress.isSettled = true));
    watched.catch(() => {});
    while (!progress.isSettled) {
      // Promises, and modules loaded on demand, first: time must not run ahead of them.
      for (let turn = 0; turn < 3; turn += 1) await hostYield();
      this.time.runUntil(this.time.heap.nextDueUs(), 1);
    }
    return watched;
  }
}

/** Resets over the modem lines, proven by what the ROM prints. */
export function linesBoot(clock: Clock) {
  return (port: Port, listen: FlashLine["listen"]): BootControl => {
    const engine = new ResetEngine({
      clock,
      adapter: "uart-bridge",
      key: MAC,
      port: () => port,
      power: NO_POWER,
      memory: new VolatileResetMemory(),
    });
    return provenBoot(engine, listen);
  };
}

/** Bytes that compress about as firmware does. */
export function someBytes(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let state = seed * 2654435761;
  for (let at = 0; at < lengthBytes; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = at % 3 === 0 ? 0x13 : state >>> 24;
  }
  return bytes;
}

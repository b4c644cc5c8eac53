import { type Clock, type FleetrigError, hostMonotonicUs, type Timer, US_PER_S } from "fleetrig/kernel";
import { ANSWER, COMMAND, type HostOpening, MAX_PAYLOAD_BYTES } from "./host-frames.js";
import { portClosed, portError, portGone, portStalled } from "./port-error.js";
import { PortProcess } from "./port-process.js";
import type { SpareProcesses } from "./spare-processes.js";
import type { ModemLines, Port, PortAddress, PortEnd, PortOpening } from "./port.js";

/** A command or ping that is unanswered for this long is a stall. */
const STALL_US = 3 * US_PER_S;
const PING_US = US_PER_S;
/** A busy machine needs a while to start a process; its own work is counted from then. Who is patient with drivers has a slow machine. */
const START_US = 20 * US_PER_S;
/** Commands that are not waited for. */
const NO_ANSWER = 0;

interface Pending {
  readonly what: string;
  readonly sinceUs: number;
  readonly resolve: () => void;
  readonly reject: (error: FleetrigError) => void;
}

export interface TtyPortOptions {
  readonly clock: Clock;
  /** Default: 3 s. */
  readonly stallUs?: number;
  /** Default: each port has its process started when it is opened. */
  readonly spares?: SpareProcesses;
}

type TtyAddress = Extract<PortAddress, { kind: "tty" }>;

/** Opens a tty in a process of its own. @throws see `PortOpener` */
export async function openTtyPort(opening: PortOpening, options: TtyPortOptions): Promise<TtyPort> {
  const port = new TtyPort(opening, options);
  await port.opened();
  return port;
}

/** A tty; everything that may block happens in another process, which is ended when it does. */
export class TtyPort implements Port {
  readonly address: TtyAddress;
  private readonly process: PortProcess;
  private readonly pending = new Map<number, Pending>();
  private readonly watchdog: Timer;
  private readonly clock: Clock;
  private readonly stallUs: number;
  private readonly spares: SpareProcesses | undefined;
  /** What the machine's clock shows when ours shows 0. */
  private readonly clockZeroUs: number;
  private taken = 0;
  private written = 0;
  private lastPingUs: number;
  private isReady = false;
  private isOpen = false;
  private end: PortEnd | undefined;
  private failure: FleetrigError | undefined;
  private readonly start: Promise<void>;
  private started: (() => void) | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly opening: PortOpening,
    { clock, stallUs = STALL_US, spares }: TtyPortOptions,
  ) {
    this.address = opening.address as TtyAddress;
    this.clock = clock;
    this.stallUs = stallUs;
    this.spares = spares;
    this.clockZeroUs = hostMonotonicUs() - clock.nowUs();
    this.lastPingUs = clock.nowUs();
    this.start = new Promise((resolve) => (this.started = resolve));
    this.process = spares?.take() ?? new PortProcess();
    this.process.serve({
      heard: (kind, number, payload) => this.heard(kind, number, payload),
      ended: (reason) =>
        this.finish("failed", reason === undefined ? undefined : portError(this.address, reason)),
    });
    const startedUs = clock.nowUs();
    this.watchdog = clock.after(Math.max(START_US, 3 * stallUs), () => this.watch(startedUs));
    if (this.process.isReady) this.ready();
  }

  /** Of the process behind it. */
  get hostPid(): number {
    return this.process.pid;
  }

  get bufferedBytes(): number {
    return this.taken - this.written;
  }

  /** Resolves when the device is open and its lines are set. */
  async opened(): Promise<void> {
    const { baud, lines = { dtr: false, rts: false } } = this.opening;
    await this.start;
    if (this.failure !== undefined) throw this.failure;
    const wish: HostOpening = { path: this.address.path, baud, ...lines };
    try {
      await this.command(COMMAND.open, "opening", Buffer.from(JSON.stringify(wish)));
    } catch (error) {
      this.finish("failed");
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    if (this.end !== undefined || this.closing !== undefined) return;
    this.taken += bytes.length;
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD_BYTES) {
      const piece = bytes.subarray(at, at + MAX_PAYLOAD_BYTES);
      this.process.send(COMMAND.write, NO_ANSWER, piece);
    }
  }

  setLines({ dtr, rts }: ModemLines): Promise<void> {
    return this.command(COMMAND.lines, "setting DTR and RTS", Uint8Array.of(Number(dtr), Number(rts)));
  }

  setBaud(baud: number): Promise<void> {
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE(baud, 0);
    return this.command(COMMAND.baud, `setting ${baud} baud`, payload);
  }

  close(): Promise<void> {
    this.closing ??= this.command(COMMAND.close, "closing").then(
      () => this.finish("local"),
      () => {},
    );
    return this.closing;
  }

  private command(kind: number, what: string, payload?: Uint8Array): Promise<void> {
    if (this.end !== undefined) return Promise.reject(this.failure ?? portClosed(this.address));
    return new Promise((resolve, reject) => {
      const number = this.process.command(kind, payload);
      this.pending.set(number, { what, sinceUs: this.clock.nowUs(), resolve, reject });
      this.watchdog.again(this.nextLookUs());
    });
  }

  private heard(kind: number, number: number, payload: Buffer): void {
    if (this.end !== undefined) return;
    if (kind === ANSWER.data) this.receive(payload);
    else if (kind === ANSWER.written) this.written += payload.readUInt32LE(0);
    else if (kind === ANSWER.ready) this.ready();
    else if (kind === ANSWER.gone) this.finish("disconnected", portGone(this.address, payload.toString()));
    else this.settle(kind, number, payload);
  }

  private receive(payload: Buffer): void {
    const atUs = Math.min(Math.floor(payload.readDoubleLE(0) - this.clockZeroUs), this.clock.nowUs());
    this.opening.receiver.received(payload.subarray(8), Math.max(0, atUs));
  }

  private settle(kind: number, number: number, payload: Buffer): void {
    const waiting = this.pending.get(number);
    // Of a port that this process had before.
    if (waiting === undefined) return;
    this.pending.delete(number);
    if (kind === ANSWER.done) {
      // The first command is the opening.
      this.isOpen = true;
      waiting.resolve();
    } else waiting.reject(portError(this.address, payload.toString()));
  }

  private ready(): void {
    this.isReady = true;
    this.started?.();
    this.watchdog.again(PING_US);
  }

  /** The oldest command decides when the next look is due. */
  private nextLookUs(): number {
    let sinceUs = this.lastPingUs + PING_US - this.stallUs;
    for (const pending of this.pending.values()) sinceUs = Math.min(sinceUs, pending.sinceUs);
    return Math.max(1, sinceUs + this.stallUs - this.clock.nowUs());
  }

  private watch(startedUs: number): void {
    if (this.end !== undefined) return;
    const nowUs = this.clock.nowUs();
    if (!this.isReady) {
      this.stall(`its process did not start within ${(nowUs - startedUs) / US_PER_S} s`);
      return;
    }
    for (const { sinceUs, what } of this.pending.values()) {
      if (nowUs - sinceUs >= this.stallUs) {
        this.stall(what);
        return;
      }
    }
    if (this.isOpen && nowUs - this.lastPingUs >= PING_US) {
      this.lastPingUs = nowUs;
      this.command(COMMAND.ping, "its process").catch(() => {});
    }
    this.watchdog.again(this.nextLookUs());
  }

  private stall(what: string): void {
    this.finish("stalled", portStalled(this.address, what));
  }

  private finish(end: PortEnd, failure?: FleetrigError): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.failure = failure;
    this.watchdog.cancel();
    this.leaveProcess(end);
    this.started?.();
    const error = failure ?? portClosed(this.address);
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
    if (this.isOpen) this.opening.receiver.closed(end);
  }

  private leaveProcess(end: PortEnd): void {
    const { process, spares } = this;
    if (spares !== undefined && end === "local") spares.keep(process);
    else if (spares !== undefined && end === "disconnected") spares.recover(process);
    else if (end === "local") process.dismiss();
    else process.kill();
  }
}

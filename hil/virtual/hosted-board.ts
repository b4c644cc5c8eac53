import { mkdirSync } from "node:fs";
import { type Clock, FleetrigError, hostProcess, type Timer } from "fleetrig/kernel";
import { registerVirtualBoard } from "../enumerate/virtual-registry.js";
import type { BoardLine, BoardLineHandlers } from "./board-line.js";
import { BoardProcess, type BoardStart } from "./board-process.js";
import { ControlServer } from "./control-server.js";
import type { BoardAction, BoardPlan, BoardStatus } from "./keeper-protocol.js";
import type { Reaper } from "./reaper.js";
import { romBootText } from "./rom/boot-text.js";
import { DownloadMode } from "./rom/download-mode.js";
import type { SparePrograms } from "./spare-programs.js";

const COLD: BoardStart = { reason: "POWERON", isCold: true };
/** To the ROM it looks like power. */
const EN: BoardStart = { reason: "POWERON", isCold: false };
/** What a board with its own USB is away from the bus at a restart. */
const REENUMERATION_US = 150_000;
/** A program that ends at once is not started faster than this. */
const RESTART_US = 50_000;
const RESTARTS_MAX = 100;

/** Exit codes by which a program that is no emulator asks for its next start: the code says why. */
const RESET_REASONS: Readonly<Record<string, string>> = {
  "64": "SW_CPU_RESET",
  "65": "DEEPSLEEP",
  "66": "PANIC",
  "67": "TG0_WDT_RESET",
};

/** What is done to a board: by a hand at the bench, or by the modem lines of its host. */
type BoardDeed = BoardAction | { readonly op: "release"; readonly isDownload: boolean };

export interface HostedBoardOptions {
  readonly plan: BoardPlan;
  readonly clock: Clock;
  readonly reaper: Reaper;
  readonly spares: SparePrograms;
  readonly environment: Readonly<Record<string, string | undefined>>;
  line(handlers: BoardLineHandlers): BoardLine;
  status(status: BoardStatus): void;
  log(text: string): void;
}

/**
 * A virtual board as its keeper has it: its line, the process behind it, its entry in the registry and its control socket. What
 * is done to it is done one after the other.
 */
export class HostedBoard {
  private readonly line: BoardLine;
  private readonly control: ControlServer;
  private process: BoardProcess | undefined;
  /** In download mode. */
  private rom: DownloadMode | undefined;
  private unregister: () => void = () => undefined;
  private last: Promise<void> = Promise.resolve();
  private lastPath: string | undefined;
  /** In a row, without anybody having asked. */
  private restarts = 0;
  private hasCable = true;
  private isOver = false;
  /** While a board with its own USB is away from the bus. */
  private comeback: Timer | undefined;

  constructor(private readonly options: HostedBoardOptions) {
    this.control = new ControlServer((request) => this.do(request));
    this.line = options.line({
      received: (bytes) => {
        this.rom?.receive(bytes);
        this.process?.write(bytes);
      },
      held: () => this.follow({ op: "freeze", on: true }),
      released: (isDownload) => this.follow({ op: "release", isDownload }),
    });
  }

  /** @throws {FleetrigError} BOARD_NO_TTY, BOARD_PROGRAM_MISSING, BOARD_EMULATOR_FAILED, BOARD_CONTROL_FAILED */
  async start(): Promise<void> {
    const { plan } = this.options;
    mkdirSync(plan.registryFolder, { recursive: true, mode: 0o700 });
    await this.control.listen(plan.control);
    if (plan.usb === "bridge" || !plan.isOff) this.appear();
    if (!plan.isOff) await this.powerOn(COLD);
    this.tell();
  }

  /** @throws {FleetrigError} BOARD_UNSUPPORTED, BOARD_EMULATOR_FAILED, BOARD_NO_TTY */
  do(deed: BoardDeed): Promise<void> {
    const done = this.last.then(() => this.perform(deed));
    this.last = done.catch(() => undefined);
    return done;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    this.disappear();
    this.control.close();
    this.endDownload();
    await this.process?.kill();
    this.process = undefined;
  }

  /** As `do`, where nobody waits for it. */
  private follow(deed: BoardDeed): void {
    this.do(deed).catch((error: unknown) => this.options.log(String(error)));
  }

  private async perform(deed: BoardDeed): Promise<void> {
    if (this.isOver) return;
    this.restarts = 0;
    switch (deed.op) {
      case "reset":
        await (deed.mode === "download" ? this.download() : this.reset());
        break;
      case "power":
        await (deed.on ? this.powerOn(COLD) : this.powerOff());
        break;
      case "freeze":
        await this.process?.freeze(deed.on);
        break;
      case "release":
        await this.release(deed.isDownload);
        break;
      case "plug":
        this.hasCable = deed.in;
        if (!deed.in) this.disappear();
        else this.appear("isRenamed" in deed ? this.lastPath : undefined);
        break;
    }
    this.tell();
  }

  private async download(): Promise<void> {
    const { plan, clock } = this.options;
    if (plan.rom === undefined)
      throw new FleetrigError("BOARD_UNSUPPORTED", "This virtual board has no ROM loader.", {
        hint: "Flash it by starting it with another firmware image.",
      });
    if (this.process === undefined && this.rom === undefined) return;
    await this.process?.kill();
    this.process = undefined;
    this.rom?.end();
    this.rom = new DownloadMode({
      ...plan.rom,
      mac: plan.mac,
      clock,
      send: (bytes) => this.line.write(bytes),
      left: () => this.follow({ op: "reset" }),
    });
  }

  /** @returns whether it was in download mode. */
  private endDownload(): boolean {
    const wasThere = this.rom !== undefined;
    this.rom?.end();
    this.rom = undefined;
    return wasThere;
  }

  /** Nothing of what ran before is heard again: it is frozen until it has been reset. */
  private async release(isDownload: boolean): Promise<void> {
    await (isDownload && this.options.plan.rom !== undefined ? this.download() : this.reset());
    await this.process?.freeze(false);
  }

  private async reset(): Promise<void> {
    if (this.endDownload()) await this.powerOn(EN);
    else await this.resetProcess();
  }

  private async resetProcess(): Promise<void> {
    if (this.process === undefined) return;
    if (this.options.plan.usb === "native") this.reenumerate();
    if (await this.process.reset()) return;
    await this.process.kill();
    this.process = undefined;
    await this.powerOn(EN);
  }

  private async powerOn(start: BoardStart): Promise<void> {
    if (this.process !== undefined || this.rom !== undefined) return;
    if (this.options.plan.usb === "native" && this.comeback === undefined) this.appear();
    const { plan, reaper, spares, environment, log } = this.options;
    // At once, as a chip does: whoever waits for the board knows by it that it starts, however long its interpreter takes.
    if (!plan.program.hasRom) this.line.write(Buffer.from(romBootText(start.reason)));
    this.process = await BoardProcess.start(plan.program, start, {
      reaper,
      spares,
      environment,
      handlers: {
        line: (bytes) => this.line.write(bytes),
        restarted: () => {
          if (plan.usb === "native") this.reenumerate();
        },
        ended: (how) => this.ended(how),
        log,
      },
    });
  }

  private async powerOff(): Promise<void> {
    this.endDownload();
    await this.process?.kill();
    this.process = undefined;
    if (this.options.plan.usb === "native") this.disappear();
  }

  /** A board that ends by itself begins again: that is what boards do. */
  private ended(how: string): void {
    this.process = undefined;
    if (this.isOver) return;
    this.restarts += 1;
    if (this.restarts > RESTARTS_MAX) {
      this.options.log(`the board has ended ${this.restarts} times in a row (${how}) and stays off`);
      this.tell();
      return;
    }
    const reason = RESET_REASONS[how];
    if (reason === undefined) this.options.log(`the board's process has ended (${how})`);
    if (this.options.plan.usb === "native") this.reenumerate();
    const again = (): void => {
      this.last = this.last
        .then(() => (this.isOver ? undefined : this.powerOn({ reason: reason ?? "PANIC", isCold: false })))
        .then(() => this.tell())
        .catch((error: unknown) => this.options.log(String(error)));
    };
    if (reason === undefined) this.options.clock.after(RESTART_US, again);
    else again();
  }

  private appear(otherThan?: string): void {
    if (!this.hasCable || this.isOver) return;
    this.line.plug(otherThan);
    this.lastPath = this.line.path;
    this.enter();
  }

  private disappear(): void {
    this.comeback?.cancel();
    this.comeback = undefined;
    this.unregister();
    this.unregister = () => undefined;
    this.line.unplug();
  }

  private reenumerate(): void {
    this.disappear();
    this.tell();
    this.comeback = this.options.clock.after(REENUMERATION_US, () => {
      this.comeback = undefined;
      this.appear();
      this.tell();
    });
  }

  private enter(): void {
    const { registryFolder, kind, mac, chip, tags, control } = this.options.plan;
    const { path } = this.line;
    const entry = {
      schema: 1 as const,
      kind,
      mac,
      chip,
      tags: [...tags],
      control,
      ...(path !== undefined && { path }),
    };
    this.unregister = registerVirtualBoard(registryFolder, { ...entry, ...hostProcess() });
  }

  private tell(): void {
    this.options.status({ path: this.line.path, pid: this.process?.pid });
  }
}

import { watch } from "node:fs";
import { type Clock, type Timer, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import type { AttachedPort } from "./attached-port.js";

const POLL_US = US_PER_S;
/** One plugging in makes several files; udev sets their permissions and links a moment later. */
const SETTLE_US = 20 * US_PER_MS;

/** Tells of changes in a folder, as soon as they happen or not at all. @returns stops it */
type FolderWatch = (folder: string, changed: () => void) => () => void;

export interface PortWatchOptions {
  readonly clock: Clock;
  readonly list: () => readonly AttachedPort[];
  /** Default: that of the system. */
  readonly folders?: FolderWatch;
  /** First those that went, then those that came; a board that was plugged in again under its old name went and came. */
  readonly changed: (gone: readonly AttachedPort[], come: readonly AttachedPort[]) => void;
}

/** Watches which ports there are. Polling finds everything within a second; the watch on /dev makes it quicker. */
export class PortWatch {
  private known = new Map<string, AttachedPort>();
  private readonly timer: Timer;
  private readonly stopFolders: () => void;
  private isStopped = false;

  constructor(private readonly options: PortWatchOptions) {
    const { clock, list, folders = hostFolderWatch } = options;
    this.known = new Map(list().map((port) => [keyOf(port), port]));
    this.timer = clock.after(POLL_US, () => this.look());
    this.stopFolders = folders("/dev", () => this.lookSoon());
  }

  get ports(): readonly AttachedPort[] {
    return [...this.known.values()];
  }

  /** Compares at once, for those who know that something happened. */
  look(): void {
    if (this.isStopped) return;
    const now = new Map(this.options.list().map((port) => [keyOf(port), port]));
    const before = this.known;
    this.known = now;
    const gone = [...before].flatMap(([key, port]) => (now.has(key) ? [] : [port]));
    const come = [...now].flatMap(([key, port]) => (before.has(key) ? [] : [port]));
    this.timer.again(POLL_US);
    if (gone.length > 0 || come.length > 0) this.options.changed(gone, come);
  }

  stop(): void {
    this.isStopped = true;
    this.timer.cancel();
    this.stopFolders();
  }

  private lookSoon(): void {
    if (!this.isStopped && this.timer.dueUs - this.options.clock.nowUs() > SETTLE_US)
      this.timer.again(SETTLE_US);
  }
}

/** The same port, plugged in the same time. */
const keyOf = ({ path, usb, virtual }: AttachedPort): string =>
  [path, usb?.path ?? "", usb?.deviceNumber ?? "", virtual?.pid ?? "", virtual?.started ?? ""].join("|");

const hostFolderWatch: FolderWatch = (folder, changed) => {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    // Where it cannot be watched (any more), polling remains.
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
};

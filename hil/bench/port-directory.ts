import type { BoardPlace, BoardTracker } from "../board/board-parts.js";
import type { AttachedPort } from "../enumerate/attached-port.js";
import { normalMac } from "../enumerate/board-identity.js";
import { KIND_POLICIES } from "../enumerate/adapters.js";

/** Which ports there are, as somebody enumerates them. */
export interface PortSource {
  readonly ports: readonly AttachedPort[];
  /** @returns ends it. `changed` is called after ports came or went. */
  watch(changed: () => void): () => void;
  /** Looks at once. */
  look(): void;
}

/** The same port, plugged in the same time. */
const keyOf = ({ path, usb, virtual }: AttachedPort): string =>
  [path, usb?.path ?? "", usb?.deviceNumber ?? "", virtual?.pid ?? "", virtual?.started ?? ""].join("|");

/** What an adapter shows of itself before anything is opened, wherever it is plugged in. */
const looksOf = ({ adapter, usb }: AttachedPort): string =>
  [adapter.kind, usb?.vendorId, usb?.productId, usb?.serial, usb?.portNumber, usb?.interface].join("|");

/** A port as a place of a board. */
interface KnownPort extends BoardPlace {
  readonly port: AttachedPort;
  /** Of the board that said hello there, or that the port itself names. */
  mac: string | undefined;
  tracker: Tracker | undefined;
  /** The look at the ports that found it. */
  readonly cameIn: number;
}

/**
 * Which board is at which port. A port is a tracker's as long as nothing speaks against it; where several ports look alike, a board
 * that has lost its port tries those that came since and are nobody's, and what it finds there is remembered. No port is two trackers' at once.
 */
export class PortDirectory {
  private known = new Map<string, KnownPort>();
  /** Counts looks at the ports. */
  private looks = 0;
  private readonly trackers: Tracker[] = [];
  private readonly unwatch: () => void;

  constructor(private readonly source: PortSource) {
    this.unwatch = source.watch(() => this.refresh());
    this.refresh();
  }

  /** Ports that are no tracker's. */
  get free(): readonly AttachedPort[] {
    return [...this.known.values()].filter(({ tracker }) => tracker === undefined).map(({ port }) => port);
  }

  /** MAC of the board at a port, as far as anybody knows without opening it. */
  macAt(port: AttachedPort): string | undefined {
    return this.known.get(keyOf(port))?.mac;
  }

  /** Follows the board that is at this port now. */
  track(port: AttachedPort, mac: string | undefined): BoardTracker & { release(): void } {
    const tracker = new Tracker(this, looksOf(port), mac);
    this.trackers.push(tracker);
    const known = this.known.get(keyOf(port));
    if (known !== undefined) tracker.moveTo(known);
    return tracker;
  }

  close(): void {
    this.unwatch();
  }

  look(): void {
    this.source.look();
  }

  /** @internal */
  release(tracker: Tracker): void {
    const index = this.trackers.indexOf(tracker);
    if (index >= 0) this.trackers.splice(index, 1);
    tracker.moveTo(undefined);
  }

  /** @internal */
  learned(place: BoardPlace, mac: string): void {
    const known = [...this.known.values()].find((one) => one === place);
    if (known === undefined || known.mac === mac) return;
    known.mac = mac;
    this.assign();
  }

  /** @internal */
  doubted(tracker: Tracker): boolean {
    const { at } = tracker;
    if (at === undefined || !tracker.isGuess) return false;
    tracker.doubts.add(at);
    this.reconsider(tracker);
    tracker.tell();
    return tracker.at !== at;
  }

  private refresh(): void {
    const before = this.known;
    this.looks += 1;
    this.known = new Map(
      this.source.ports.map((port) => {
        const key = keyOf(port);
        return [key, before.get(key) ?? knownPort(port, this.looks)];
      }),
    );
    for (const tracker of this.trackers) {
      if (tracker.at !== undefined && this.known.get(keyOf(tracker.at.port)) !== tracker.at)
        tracker.lose(this.looks);
    }
    this.assign();
    for (const tracker of this.trackers) tracker.tell();
  }

  /** Boards whose port is known for sure first; what is left over goes to those that look alike. */
  private assign(): void {
    for (const tracker of this.trackers) {
      const { at, mac } = tracker;
      if (mac === undefined) continue;
      if (at?.mac === mac) {
        tracker.confirm();
        continue;
      }
      const sure = [...this.known.values()].find((one) => one.mac === mac);
      if (sure === undefined) {
        if (at?.mac !== undefined) tracker.leave();
        continue;
      }
      sure.tracker?.leave();
      tracker.leave();
      tracker.take(sure);
    }
    for (const tracker of this.trackers) {
      if (tracker.at === undefined) this.guess(tracker);
      else this.reconsider(tracker);
    }
    for (const tracker of this.trackers) tracker.tell();
  }

  private guess(tracker: Tracker): void {
    const candidates = this.candidates(tracker);
    const best = candidates.find(({ port }) => port.usb?.path === tracker.socket) ?? candidates[0];
    if (best !== undefined) tracker.take(best, true);
  }

  /** A guess at which nobody spoke gives way to another one. */
  private reconsider(tracker: Tracker): void {
    if (!tracker.isGuess || !tracker.doubts.has(tracker.at!)) return;
    const other = this.candidates(tracker).find((known) => !tracker.doubts.has(known));
    if (other === undefined) return;
    tracker.leave();
    tracker.take(other, true);
  }

  /** A port that was there while the board was elsewhere is not the board's, however much it looks like it. */
  private candidates({ mac: wanted, looks, lostIn }: Tracker): readonly KnownPort[] {
    return [...this.known.values()].filter(
      ({ tracker: owner, mac, port, cameIn }) =>
        owner === undefined &&
        cameIn >= lostIn &&
        (mac === undefined || mac === wanted) &&
        looksOf(port) === looks,
    );
  }
}

function knownPort(port: AttachedPort, cameIn: number): KnownPort {
  const usbMac = port.adapter.hasMacSerial ? normalMac(port.usb?.serial) : undefined;
  return {
    port,
    path: port.path,
    address: port.address,
    lines: KIND_POLICIES[port.adapter.kind].idle,
    usbPath: port.usb?.path,
    mac: port.virtual?.mac ?? usbMac,
    tracker: undefined,
    cameIn,
  };
}

class Tracker implements BoardTracker {
  at: KnownPort | undefined;
  /** USB socket that it was last in. */
  socket: string | undefined;
  /** It may be at this port, or at another one that looks the same. */
  isGuess = false;
  /** Guesses at which nobody spoke. */
  readonly doubts = new Set<KnownPort>();
  /** The look at the ports that missed its own. */
  lostIn = 0;
  private told: KnownPort | undefined;
  private changed: (() => void) | undefined;

  constructor(
    private readonly directory: PortDirectory,
    readonly looks: string,
    public mac: string | undefined,
  ) {}

  get place(): BoardPlace | undefined {
    return this.at;
  }

  watch(changed: () => void): () => void {
    this.changed = changed;
    return () => {
      this.changed = undefined;
    };
  }

  look(): void {
    this.directory.look();
  }

  learned(place: BoardPlace, mac: string): void {
    this.mac ??= mac;
    this.directory.learned(place, mac);
  }

  doubted(): boolean {
    return this.directory.doubted(this);
  }

  release(): void {
    this.changed = undefined;
    this.directory.release(this);
  }

  moveTo(known: KnownPort | undefined): void {
    this.leave();
    if (known !== undefined) this.take(known);
    this.told = this.at;
  }

  take(known: KnownPort, isGuess = false): void {
    known.tracker = this;
    this.at = known;
    this.socket = known.port.usb?.path ?? this.socket;
    if (isGuess) this.isGuess = true;
    else this.confirm();
  }

  /** It is where it is. */
  confirm(): void {
    this.isGuess = false;
    this.doubts.clear();
  }

  /** Its port has gone. */
  lose(look: number): void {
    if (!this.isGuess) this.lostIn = look;
    this.leave();
  }

  leave(): void {
    if (this.at?.tracker === this) this.at.tracker = undefined;
    this.at = undefined;
  }

  /** Tells of a change once everybody has a port. */
  tell(): void {
    if (this.at === this.told) return;
    this.told = this.at;
    this.changed?.();
  }
}

import { type Clock, createRandomSource, type JsonObject, VirtualTime } from "fleetrig/kernel";
import { BoardLink, type FrameEncoding, type Hello, type NetworkMessage, SerialNoise } from "fleetrig/hil";
import { VirtualEnd, type VirtualEndOptions } from "./virtual-end.js";

const BITS_PER_BYTE = 10;

/** One direction of a serial line: bytes arrive in order, each write as one piece, after its time on the wire and `latencyUs`. */
export class Wire {
  /** Bytes written while it was unplugged. */
  lostBytes = 0;
  isPlugged = true;
  private freeUs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly options: { readonly baud: number; readonly latencyUs: number },
    private readonly arrived: (bytes: Uint8Array, atUs: number) => void,
  ) {}

  readonly write = (bytes: Uint8Array): void => {
    if (!this.isPlugged) {
      this.lostBytes += bytes.length;
      return;
    }
    const nowUs = this.clock.nowUs();
    const wireUs = Math.ceil((bytes.length * BITS_PER_BYTE * 1_000_000) / this.options.baud);
    this.freeUs = Math.max(nowUs, this.freeUs) + wireUs;
    this.clock.after(this.freeUs - nowUs + this.options.latencyUs, () => {
      if (this.isPlugged) this.arrived(bytes, this.clock.nowUs());
      else this.lostBytes += bytes.length;
    });
  };
}

export interface LinkRigOptions {
  readonly encoding?: FrameEncoding;
  readonly baud?: number;
  readonly latencyUs?: number;
  readonly seed?: number;
  readonly board?: Partial<VirtualEndOptions>;
  /** Instead of collecting them. */
  readonly networkData?: (bytes: Uint8Array) => void;
}

/** A BoardLink and a board in TypeScript, on two wires in virtual time. Everything that the link says is in `heard`. */
export class LinkRig {
  readonly time = new VirtualTime();
  readonly heard: string[] = [];
  readonly events: JsonObject[] = [];
  readonly network: NetworkMessage[] = [];
  readonly networkData: Uint8Array[] = [];
  readonly hellos: Hello[] = [];
  text = "";
  readonly clock = this.time.lane(1);
  readonly link: BoardLink;
  readonly board: VirtualEnd;
  readonly toBoard: Wire;
  readonly toHost: Wire;
  readonly noiseToBoard: SerialNoise;
  readonly noiseToHost: SerialNoise;

  constructor(options: LinkRigOptions = {}) {
    const wire = { baud: options.baud ?? 921_600, latencyUs: options.latencyUs ?? 200 };
    const random = createRandomSource(options.seed ?? 1);
    this.noiseToBoard = new SerialNoise({
      clock: this.time.lane(2),
      random: random.stream("noise/board"),
      forward: (bytes, atUs) => this.board.received(bytes, atUs),
    });
    this.noiseToHost = new SerialNoise({
      clock: this.time.lane(3),
      random: random.stream("noise/host"),
      forward: (bytes, atUs) => this.link.received(bytes, atUs),
    });
    this.toBoard = new Wire(this.time.lane(5), wire, (bytes, atUs) => this.noiseToBoard.push(bytes, atUs));
    this.toHost = new Wire(this.time.lane(6), wire, (bytes, atUs) => this.noiseToHost.push(bytes, atUs));
    this.board = new VirtualEnd({
      clock: this.time.lane(4),
      write: this.toHost.write,
      baud: wire.baud,
      ...options.board,
    });
    this.link = new BoardLink({
      clock: this.clock,
      random: random.stream("link"),
      write: this.toBoard.write,
      baud: wire.baud,
      ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
      handlers: {
        opened: (hello, isNewBoot) => {
          this.hellos.push(hello);
          this.heard.push(isNewBoot ? "opened new boot" : "opened");
        },
        restarted: (hello) => {
          this.hellos.push(hello);
          this.heard.push("restarted");
        },
        lost: (reason) => this.heard.push(`lost: ${reason}`),
        text: (bytes) => {
          this.text += Buffer.from(bytes).toString("latin1");
        },
        event: (event) => this.events.push(event),
        network: (message) => this.network.push(message),
        networkData: (bytes) => options.networkData?.(bytes) ?? this.networkData.push(bytes),
      },
    });
  }

  /** A board that has booted, and a session. */
  static opened(options: LinkRigOptions = {}): LinkRig {
    const rig = new LinkRig(options);
    rig.board.boot();
    rig.link.start();
    rig.time.advance(100_000);
    return rig;
  }

  advance(durationUs: number): void {
    this.time.advance(durationUs);
  }

  /** Forgets what was heard so far. */
  listen(): void {
    this.heard.length = 0;
  }
}

/** What a promise comes to, once everything that is already decided has settled. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

import type { NoiseSettings } from "fleetrig/hil";
import { createRandomSource, type Random } from "fleetrig/kernel";
import { NETWORK } from "../../../hil/link/reliable-channels.js";
import { LinkRig, type LinkRigOptions } from "./link-rig.js";

/** Bytes that are known by their place in a stream, so that one that is wrong, missing or out of order shows itself at once. */
const byteAt = (position: number): number => (Math.imul(position, 0x9e37_79b1) >>> 24) ^ (position & 0xff);

export class Stream {
  position = 0;

  next(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) bytes[i] = byteAt(this.position + i);
    this.position += length;
    return bytes;
  }

  /** @returns whether the bytes are the next ones. */
  accept(bytes: Uint8Array): boolean {
    for (const [i, byte] of bytes.entries()) if (byte !== byteAt(this.position + i)) return false;
    this.position += bytes.length;
    return true;
  }
}

/** One direction: what was sent, and what has come out of the other end. */
class Direction {
  readonly sent = new Stream();
  readonly taken = new Stream();
  /** Frames of the first sending. */
  frames = 0;
  framesTaken = 0;
  wrong = 0;

  constructor(
    private readonly random: Random,
    private readonly maxPayloadBytes: number,
  ) {}

  next(): Uint8Array {
    this.frames += 1;
    return this.sent.next(1 + this.random.below(this.maxPayloadBytes));
  }

  take(bytes: Uint8Array): void {
    this.framesTaken += 1;
    if (!this.taken.accept(bytes)) this.wrong += 1;
  }
}

export interface NoisyTrafficOptions extends LinkRigOptions {
  /** In each direction. */
  readonly frames: number;
  readonly noise: NoiseSettings;
  readonly maxPayloadBytes?: number;
  readonly windowFrames?: number;
}

const BACKLOG_BYTES = 4_096;
const TICK_US = 5_000;
const QUIET_US = 20_000_000;

/** Sends in both directions as fast as the link takes it, over bad wires, and says what came of it. */
export function noisyTraffic(options: NoisyTrafficOptions) {
  const maxPayload = options.maxPayloadBytes ?? 240;
  const random = createRandomSource(options.seed ?? 1);
  const toBoard = new Direction(random.stream("sizes/board"), maxPayload);
  const toHost = new Direction(random.stream("sizes/host"), maxPayload);
  const rig = LinkRig.opened({
    ...options,
    networkData: (bytes) => toHost.take(bytes),
    board: {
      hello: { window: options.windowFrames ?? 8, maxPayload },
      delivered: (channel, bytes) => {
        if (channel === NETWORK) toBoard.take(bytes);
      },
    },
  });
  rig.noiseToBoard.set(options.noise);
  rig.noiseToHost.set(options.noise);
  const wanted = options.frames;
  const startedUs = rig.time.nowUs();
  while (toBoard.framesTaken < wanted || toHost.framesTaken < wanted) {
    while (toBoard.frames < wanted && rig.link.networkBacklogBytes < BACKLOG_BYTES)
      rig.link.sendNetworkData(toBoard.next());
    while (toHost.frames < wanted && rig.board.pendingBytes(NETWORK) < BACKLOG_BYTES)
      rig.board.sendNetworkData(toHost.next());
    rig.advance(TICK_US);
    if (rig.heard.length > 1 || rig.time.nowUs() - startedUs > options.frames * 1_000_000) break;
  }
  const durationUs = rig.time.nowUs() - startedUs;
  rig.noiseToBoard.set({});
  rig.noiseToHost.set({});
  rig.advance(QUIET_US);
  return { rig, toBoard, toHost, durationUs };
}

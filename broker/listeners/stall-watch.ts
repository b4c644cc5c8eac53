import type { Socket } from "node:net";
import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import type { SocketLink } from "fleetrig/protocol";

/** Slower than this in the middle of a packet is no progress. */
const MIN_BYTES_PER_S = 64;
const SWEEP_US = 5 * US_PER_S;

/** What is known of a link that was found in the middle of a packet. */
interface Suspicion {
  bytesRead: number;
  sinceUs: number;
}

/** The sockets of a listener, with their links where they have one already. */
export type Residents = ReadonlyMap<Socket, SocketLink | undefined>;

/**
 * Finds clients that begin a packet and then hardly go on, which keep-alive does not: every byte counts as life.
 * One sweep looks at all links; only those in the middle of a packet are remembered until the next.
 */
export class StallWatch {
  private suspicions = new Map<Socket, Suspicion>();
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly deadlineS: number,
    private readonly residents: Residents,
    private readonly stalled: (socket: Socket) => void,
  ) {}

  /** To be called when there may be somebody to watch. */
  wake(): void {
    if (this.timer === undefined && Number.isFinite(this.deadlineS)) this.arm();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.suspicions.clear();
  }

  private arm(): void {
    this.timer = this.clock.after(SWEEP_US, StallWatch.sweep, this);
  }

  private static sweep(this: void, watch: StallWatch): void {
    watch.timer = undefined;
    watch.look();
    if (watch.residents.size > 0) watch.arm();
  }

  private look(): void {
    const before = this.suspicions;
    this.suspicions = new Map();
    const nowUs = this.clock.nowUs();
    for (const [socket, link] of this.residents) {
      if (link === undefined || !link.isMidPacket) continue;
      const suspicion = before.get(socket) ?? { bytesRead: socket.bytesRead, sinceUs: nowUs };
      if (nowUs - suspicion.sinceUs >= this.deadlineS * US_PER_S) {
        const elapsedS = (nowUs - suspicion.sinceUs) / US_PER_S;
        if (socket.bytesRead - suspicion.bytesRead < MIN_BYTES_PER_S * elapsedS) {
          this.stalled(socket);
          continue;
        }
        suspicion.bytesRead = socket.bytesRead;
        suspicion.sinceUs = nowUs;
      }
      this.suspicions.set(socket, suspicion);
    }
  }
}

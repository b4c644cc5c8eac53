import type { BrokerServer } from "fleetrig/broker";
import { hostNowUs, type VirtualTime } from "fleetrig/kernel";
import { PacketCutter } from "./byte-pattern.js";
import type { Condition, Stage, Wire } from "./player.js";
import type { RawWire, Transport } from "./transports.js";

/**
 * A server behind real sockets. Only its time is virtual: what a script says takes a minute takes no time here
 * either, and no case is left out because it would take too long.
 */

/** A broker, and the time it lives in. */
export interface ServerUnderTest {
  readonly server: BrokerServer;
  readonly time: VirtualTime;
}

/** The time after which a condition that does not hold never will. */
const PATIENCE_US = 10_000_000;
const LOOK_AGAIN_MS = 5;

/** A server behind one transport, with the clients of one script. */
export class SocketStage implements Stage {
  readonly isImmediate = false;
  private readonly raws: RawWire[] = [];
  /** Wakes whoever waits for a condition. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly subject: ServerUnderTest,
    private readonly transport: Transport,
  ) {}

  dial(): Wire {
    const inbox: Buffer[] = [];
    const cutter = new PacketCutter();
    const state = { isReady: false, isClosed: false };
    const raw = this.transport.dial(this.subject.server.endpoints[0]!, {
      ready: () => {
        state.isReady = true;
        this.wake();
      },
      received: (chunk) => {
        inbox.push(...cutter.push(chunk));
        this.wake();
      },
      closed: () => {
        state.isClosed = true;
        this.wake();
      },
    });
    this.raws.push(raw);
    return {
      get isReady() {
        return state.isReady || state.isClosed;
      },
      get isClosed() {
        return state.isClosed;
      },
      inbox,
      send: (bytes) => raw.send(bytes),
      end: () => raw.end(),
      drop: () => raw.drop(),
    };
  }

  advance(us: number): void {
    this.subject.time.advance(us);
  }

  connections(): number {
    return this.subject.server.statistics().connections;
  }

  stop(): void {
    this.subject.server.engine.shutdown();
  }

  /** Waits until the condition holds. @returns false when it does not in time. */
  async reach({ holds }: Condition): Promise<boolean> {
    const givesUpAtUs = hostNowUs() + PATIENCE_US;
    while (!holds()) {
      if (hostNowUs() > givesUpAtUs) return false;
      // Not everything that the server knows shows on a socket.
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, LOOK_AGAIN_MS);
      });
    }
    return true;
  }

  /** Leaves nothing open. */
  async close(): Promise<void> {
    for (const raw of this.raws) raw.drop();
    await this.subject.server.stop();
  }
}

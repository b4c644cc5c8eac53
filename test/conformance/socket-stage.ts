import { connect } from "node:net";
import { listenTcp, type MqttBroker } from "fleetrig/broker";
import { hostNowUs, LANE, type VirtualTime } from "fleetrig/kernel";
import { PacketCutter } from "./byte-pattern.js";
import type { Condition, Stage, Wire } from "./player.js";

/**
 * A server behind real sockets. Only its time is virtual: what a script says takes a minute takes no time here
 * either, and no case is left out because it would take too long.
 */

/** One way to reach a server through the operating system. */
export interface Transport {
  readonly name: string;
  open(server: ServerUnderTest): Promise<Door>;
}

export interface ServerUnderTest {
  readonly broker: MqttBroker;
  readonly time: VirtualTime;
}

/** A listener, and how its clients dial. */
export interface Door {
  dial(events: WireEvents): RawWire;
  stop(): Promise<void>;
}

/** What a client's socket tells. */
export interface WireEvents {
  ready(): void;
  received(chunk: Uint8Array): void;
  closed(): void;
}

/** What a client does to its socket. */
export interface RawWire {
  send(bytes: Buffer): void;
  end(): void;
  drop(): void;
}

const CONNECT_DEADLINE_MS = 3_600_000;

/** The time after which a condition that does not hold never will. */
const PATIENCE_US = 2_000_000;
const LOOK_AGAIN_MS = 5;

const tcp: Transport = {
  name: "TCP",
  async open({ broker, time }) {
    const listener = await listenTcp({
      acceptor: broker,
      port: 0,
      maxPacketBytes: broker.limits.packetBytes,
      connectDeadlineMs: CONNECT_DEADLINE_MS,
      clock: time.lane(LANE.services),
    });
    return {
      stop: () => listener.stop(),
      dial: (events) => {
        const socket = connect({ port: listener.port, host: "127.0.0.1", noDelay: true });
        socket.on("connect", () => events.ready());
        socket.on("data", (chunk) => events.received(chunk));
        for (const ending of ["end", "close"]) socket.on(ending, () => events.closed());
        socket.on("error", () => events.closed());
        return {
          send: (bytes) => void socket.write(bytes),
          end: () => void socket.end(),
          drop: () => void socket.resetAndDestroy(),
        };
      },
    };
  },
};

export const TRANSPORTS: readonly Transport[] = [tcp];

/** A server behind one transport, with the clients of one script. */
export class SocketStage implements Stage {
  readonly isImmediate = false;
  private readonly raws: RawWire[] = [];
  /** Wakes whoever waits for a condition. */
  private wake: () => void = () => undefined;

  constructor(
    private readonly server: ServerUnderTest,
    private readonly door: Door,
  ) {}

  dial(): Wire {
    const inbox: Buffer[] = [];
    const cutter = new PacketCutter();
    const state = { isReady: false, isClosed: false };
    const raw = this.door.dial({
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
    this.server.time.advance(us);
  }

  connections(): number {
    return this.server.broker.statistics().connections;
  }

  stop(): void {
    this.server.broker.shutdown();
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
    await this.door.stop();
  }
}

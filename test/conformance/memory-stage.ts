import { EventEmitter } from "node:events";
import { type MqttBroker } from "fleetrig/broker";
import type { VirtualTime } from "fleetrig/kernel";
import { type ByteStream, SocketLink, WriteBatch } from "fleetrig/protocol";
import { PacketCutter } from "./byte-pattern.js";
import type { Stage, Wire } from "./player.js";

/** How the bytes of one send reach the server: in which pieces. */
export type Chunking = (bytes: Buffer) => readonly Buffer[];

export const inOnePiece: Chunking = (bytes) => [bytes];

export const byteByByte: Chunking = (bytes) =>
  Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

/** Cuts the stream of all bytes of a script once, after `at` bytes. */
export function cutAt(at: number): Chunking {
  let sent = 0;
  return (bytes) => {
    const cut = at - sent;
    sent += bytes.length;
    return cut > 0 && cut < bytes.length ? [bytes.subarray(0, cut), bytes.subarray(cut)] : [bytes];
  };
}

/** The server's end of a connection in memory. */
class MemoryStream extends EventEmitter implements ByteStream {
  readonly writableLength = 0;
  readonly inbox: Buffer[] = [];
  isClosed = false;
  private readonly cutter = new PacketCutter();

  write(bytes: Uint8Array): void {
    this.inbox.push(...this.cutter.push(bytes));
  }

  end(): void {
    this.isClosed = true;
  }

  destroy(): void {
    this.isClosed = true;
  }

  pause(): void {
    // Nothing is ever held back in memory.
  }

  resume(): void {
    // Nothing is ever held back in memory.
  }
}

/** A server whose clients are in the same process: the real codec and link over streams in memory. */
export class MemoryStage implements Stage {
  readonly isImmediate = true;
  private readonly turns: (() => void)[] = [];
  private readonly batch = new WriteBatch((task) => this.turns.push(task));

  constructor(
    private readonly broker: MqttBroker,
    private readonly time: VirtualTime,
    private readonly chunks: Chunking = inOnePiece,
  ) {}

  dial(): Wire {
    const { broker, batch } = this;
    const stream = new MemoryStream();
    const { packetBytes: maxPacketBytes } = broker.limits;
    const link = new SocketLink(
      { role: "server", batch, maxPacketBytes, linger: () => undefined },
      { stream, remoteAddress: "memory" },
    );
    link.attach(broker.accept(link));
    const happen = (event: "data" | "end" | "error", chunk?: Buffer): void => {
      stream.emit(event, chunk);
      this.takeTurns();
    };
    return {
      isReady: true,
      get isClosed() {
        return stream.isClosed;
      },
      inbox: stream.inbox,
      send: (bytes) => {
        for (const chunk of this.chunks(bytes)) happen("data", chunk);
      },
      end: () => happen("end"),
      drop: () => happen("error"),
    };
  }

  advance(us: number): void {
    this.time.advance(us);
    this.takeTurns();
  }

  connections(): number {
    return this.broker.statistics().connections;
  }

  stop(): void {
    this.broker.shutdown();
    this.takeTurns();
  }

  private takeTurns(): void {
    for (let turn = this.turns.shift(); turn !== undefined; turn = this.turns.shift()) turn();
  }
}

import type { Clock } from "fleetrig/kernel";
import { formatPortAddress } from "../port/port-address.js";
import type { ModemLines, Port, PortOpener, PortOpening } from "../port/port.js";
import type { PortRecord } from "./recording.js";

/** Where records go: a `RecordFile`, or a list. */
export interface RecordSink {
  add(record: PortRecord): void;
}

/** Opens ports as `opener` does, and notes everything that happens at them. One sink per port, or their records mix. */
export function recordPorts(
  opener: PortOpener,
  clock: Clock,
  sinkOf: (opening: PortOpening) => RecordSink,
): PortOpener {
  return {
    async open(opening) {
      const sink = sinkOf(opening);
      const { address, baud, lines, receiver } = opening;
      sink.add({
        kind: "opened",
        atUs: clock.nowUs(),
        port: formatPortAddress(address),
        baud,
        wallMs: clock.wallMs(),
      });
      const port = await opener.open({
        ...opening,
        receiver: {
          received(bytes, atUs) {
            sink.add({ kind: "received", atUs, bytes: bytes.slice() });
            receiver.received(bytes, atUs);
          },
          closed(reason) {
            sink.add({ kind: "closed", atUs: clock.nowUs(), reason });
            receiver.closed(reason);
          },
        },
      });
      if (lines !== undefined) sink.add({ kind: "lines", atUs: clock.nowUs(), ...lines });
      return new RecordedPort(port, clock, sink);
    },
  };
}

class RecordedPort implements Port {
  constructor(
    private readonly port: Port,
    private readonly clock: Clock,
    private readonly sink: RecordSink,
  ) {}

  get address() {
    return this.port.address;
  }

  get bufferedBytes(): number {
    return this.port.bufferedBytes;
  }

  write(bytes: Uint8Array): void {
    this.sink.add({ kind: "written", atUs: this.clock.nowUs(), bytes: bytes.slice() });
    this.port.write(bytes);
  }

  async setLines({ dtr, rts }: ModemLines): Promise<void> {
    await this.port.setLines({ dtr, rts });
    this.sink.add({ kind: "lines", atUs: this.clock.nowUs(), dtr, rts });
  }

  async setBaud(baud: number): Promise<void> {
    await this.port.setBaud(baud);
    this.sink.add({ kind: "baud", atUs: this.clock.nowUs(), baud });
  }

  close(): Promise<void> {
    return this.port.close();
  }
}

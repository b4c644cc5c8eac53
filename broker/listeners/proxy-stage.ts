import { BlockList, isIP, type Socket } from "node:net";
import { type Clock, EXIT, FleetrigError } from "fleetrig/kernel";
import { type Arrival, type Door, formatRemote, ignoreErrors, type Stage } from "./arrival.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { ProxyProtocolOptions } from "./listener-options.js";
import { readProxyHeader } from "./proxy-header.js";

const LOOPBACK = ["127.0.0.0/8", "::1"];
const DEFAULT_DEADLINE_S = 5;

/** What was read of a header that is not complete. */
interface Reading {
  readonly arrival: Arrival;
  bytes: Buffer;
  readonly read: () => void;
  readonly ended: () => void;
}

/** Takes the PROXY header off the front of each connection. Only proxies on the list are believed, or served. */
export class ProxyStage implements Stage {
  private readonly trusted: BlockList;
  private readonly readings = new Map<Socket, Reading>();
  private readonly deadlines: DeadlineQueue<Socket>;

  constructor(
    private readonly door: Door,
    private readonly next: Stage,
    { clock, options }: { readonly clock: Clock; readonly options: ProxyProtocolOptions },
  ) {
    this.trusted = toBlockList(options.trustedProxies ?? LOOPBACK);
    const deadlineS = options.headerDeadlineS ?? DEFAULT_DEADLINE_S;
    this.deadlines = new DeadlineQueue(clock, deadlineS, (socket) => this.late(socket));
  }

  enter(arrival: Arrival): void {
    const { socket } = arrival;
    ignoreErrors(socket);
    if (!this.trusts(socket)) {
      this.door.reject(arrival, "untrusted-proxy", "its address is not among the trusted proxies");
      return;
    }
    const reading: Reading = {
      arrival,
      bytes: Buffer.alloc(0),
      read: () => this.read(reading),
      ended: () => this.fail(reading, "the connection ended inside the header"),
    };
    this.readings.set(socket, reading);
    this.deadlines.add(socket);
    socket.on("readable", reading.read);
    socket.on("end", reading.ended);
    socket.once("close", () => this.forget(reading));
  }

  stop(): void {
    this.deadlines.stop();
    this.readings.clear();
    this.next.stop();
  }

  private trusts({ remoteAddress }: Socket): boolean {
    // A Unix socket has no address; who may open it is a matter of its permissions.
    if (remoteAddress === undefined) return true;
    return this.trusted.check(remoteAddress, isIP(remoteAddress) === 6 ? "ipv6" : "ipv4");
  }

  private read(reading: Reading): void {
    const { socket } = reading.arrival;
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    reading.bytes = reading.bytes.length === 0 ? chunk : Buffer.concat([reading.bytes, chunk]);
    const header = readProxyHeader(reading.bytes);
    if (header.state === "incomplete") return;
    if (header.state === "malformed") {
      this.fail(reading, header.detail);
      return;
    }
    this.forget(reading);
    const rest = reading.bytes.subarray(header.headerBytes);
    if (rest.length > 0) socket.unshift(rest);
    this.next.enter(toldBy(reading.arrival, header.source));
  }

  private late(socket: Socket): void {
    const reading = this.readings.get(socket);
    if (reading === undefined) return;
    this.forget(reading);
    this.door.reject(reading.arrival, "deadline", "no PROXY header came in time");
  }

  private fail(reading: Reading, detail: string): void {
    this.forget(reading);
    this.door.reject(reading.arrival, "proxy-header", detail);
  }

  private forget({ arrival: { socket }, read, ended }: Reading): void {
    if (!this.readings.delete(socket)) return;
    this.deadlines.delete(socket);
    socket.off("readable", read);
    socket.off("end", ended);
  }
}

function toldBy(arrival: Arrival, source: { address: string; port: number } | undefined): Arrival {
  if (source === undefined) return arrival;
  const remoteAddress = formatRemote(source.address, source.port);
  return { ...arrival, remoteAddress, facts: { proxiedFrom: arrival.remoteAddress } };
}

/** @throws FleetrigError `LISTENER_OPTION_INVALID` for what is neither an address nor a block. */
function toBlockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const family = isIP(address);
    const bits = family === 6 ? 128 : 32;
    if (family === 0 || Number(prefix ?? bits) > bits)
      throw new FleetrigError(
        "LISTENER_OPTION_INVALID",
        `${JSON.stringify(entry)} is no address and no block of addresses.`,
        { hint: "Write 10.0.0.7, 10.0.0.0/8 or fd00::/8.", context: { entry }, exitCode: EXIT.usage },
      );
    list.addSubnet(address, Number(prefix ?? bits), family === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

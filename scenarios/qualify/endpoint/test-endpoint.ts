import { Cloud } from "fleetrig/broker";
import { type Clock, createRandomSource, type RandomSource, type TimeSource } from "fleetrig/kernel";
import type {
  LinkCloseReason,
  LinkPeer,
  Packet,
  PacketAcceptor,
  PacketLink,
  PacketReceiver,
  ProtocolVersion,
} from "fleetrig/protocol";
import { wireBytes } from "fleetrig/protocol";
import { EvidenceBook } from "../evidence-book.js";
import type { CaseParameters } from "../parameters.js";
import type { CaseScript, Line, Stage } from "./case-script.js";

export interface TestEndpointOptions {
  readonly time: TimeSource;
  /** The endpoint's lane. */
  readonly clock: Clock;
  readonly random?: RandomSource;
}

const NO_SCRIPT: CaseScript = {};

/**
 * The server that a device is tested against: an embedded cloud, new for each case, and in front of it a script that withholds
 * packets, ends connections and sends what the case wants. Everything that crosses is evidence.
 */
export class TestEndpoint implements PacketAcceptor {
  /** Evidence of the case that runs, or ran last. */
  book: EvidenceBook;
  private cloud: Cloud | undefined;
  private script: CaseScript = NO_SCRIPT;
  private readonly lines = new Set<DeviceLine>();
  /** Counts cases: what was to happen later in an older one does not. */
  private round = 0;

  constructor(private readonly options: TestEndpointOptions) {
    this.book = new EvidenceBook(options.clock);
  }

  /** Everybody is thrown out; what connects from now on meets the case. */
  begin(script: ((stage: Stage) => CaseScript) | undefined, parameters: CaseParameters): void {
    this.end();
    const { time, clock, random = createRandomSource(1) } = this.options;
    this.book = new EvidenceBook(clock);
    const cloud = new Cloud({ time, random, profile: "aws" });
    this.cloud = cloud;
    const { round, book } = this;
    const stage: Stage = {
      clock,
      parameters,
      cloud,
      dropAll: () => this.dropAll(),
      after: (delayUs, task) => void clock.after(delayUs, () => this.round === round && task()),
      outcome: (name, value) => book.outcome(name, value),
    };
    this.script = script?.(stage) ?? NO_SCRIPT;
  }

  /** The case is over. Connections end; who comes meanwhile is turned away. */
  end(): void {
    this.dropAll();
    this.round += 1;
    this.script = NO_SCRIPT;
    void this.cloud?.stop();
    this.cloud = undefined;
  }

  /** @param openedUs When its TCP connection came; default: now. */
  accept(link: PacketLink, openedUs: number = this.options.clock.nowUs()): PacketReceiver {
    if (this.cloud === undefined) {
      link.destroy();
      return { received: () => undefined, closed: () => undefined };
    }
    const line = new DeviceLine(link, {
      book: this.book,
      script: this.script,
      openedUs,
      ended: () => this.lines.delete(line),
    });
    this.lines.add(line);
    line.serve(this.cloud.acceptor);
    return line;
  }

  private dropAll(): void {
    for (const line of Array.from(this.lines)) line.drop();
  }
}

interface LineParts {
  readonly book: EvidenceBook;
  readonly script: CaseScript;
  readonly openedUs: number;
  readonly ended: () => void;
}

/** One connection: the device's receiver on one side, the server's link on the other, the script between them. */
class DeviceLine implements Line, PacketReceiver, PacketLink {
  clientId = "";
  maximumPacketBytes = Number.POSITIVE_INFINITY;
  readonly number: number;
  private version: ProtocolVersion = 4;
  private server: PacketReceiver | undefined;
  private isOver = false;

  constructor(
    private readonly link: PacketLink,
    private readonly parts: LineParts,
  ) {
    this.number = parts.book.opened(parts.openedUs);
  }

  get remoteAddress(): string {
    return this.link.remoteAddress;
  }

  get peer(): LinkPeer | undefined {
    return this.link.peer;
  }

  get bufferedBytes(): number {
    return this.link.bufferedBytes;
  }

  serve(acceptor: PacketAcceptor): void {
    this.server = acceptor.accept(this);
  }

  received(packet: Packet, bytes: number): void {
    if (this.isOver) return;
    if (packet.type === "connect") {
      this.clientId = packet.clientId;
      this.version = packet.protocolVersion === 5 ? 5 : 4;
      this.maximumPacketBytes = packet.maximumPacketBytes ?? Number.POSITIVE_INFINITY;
    }
    const { book, script } = this.parts;
    const passage = script.fromDevice?.(packet, this) ?? "pass";
    const isWithheld = passage === "withhold";
    const where = { connection: this.number, from: "device", bytes } as const;
    const note = book.packet(packet, isWithheld ? { ...where, isWithheld } : where);
    script.noted?.(note, this);
    if (isWithheld || this.isOver) return;
    this.server?.received(packet, bytes);
    script.served?.(note, this);
  }

  closed(reason: LinkCloseReason): void {
    this.finish("device", reason);
  }

  send(packet: Packet): void {
    if (this.isOver) return;
    this.pass(packet, (this.parts.script.fromServer?.(packet, this) ?? "pass") === "withhold");
  }

  answer(packet: Packet): void {
    if (!this.isOver) this.pass(packet, false);
  }

  private pass(packet: Packet, isWithheld: boolean): void {
    const { book, script } = this.parts;
    const where = {
      connection: this.number,
      from: "endpoint",
      bytes: wireBytes(packet, this.version),
    } as const;
    const note = book.packet(packet, isWithheld ? { ...where, isWithheld } : where);
    if (!isWithheld) this.link.send(packet);
    script.noted?.(note, this);
  }

  close(): void {
    if (this.isOver) return;
    this.link.close();
    this.finish("endpoint", "local");
  }

  destroy(): void {
    this.drop();
  }

  drop(): void {
    if (this.isOver) return;
    // What was sent goes out first: a device that was accepted has to hear of it.
    this.link.close();
    this.finish("endpoint", "local");
  }

  private finish(by: "device" | "endpoint", reason: LinkCloseReason): void {
    if (this.isOver) return;
    this.isOver = true;
    this.parts.book.closed(this.number, by);
    this.parts.ended();
    const { server } = this;
    this.server = undefined;
    server?.closed(reason);
  }
}

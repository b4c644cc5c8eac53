import { EventEmitter } from "node:events";
import { type AuthenticationOutcome, type AuthenticationStep, MqttBroker } from "fleetrig/broker";
import { createRandomSource, LANE, silentSink, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { type ByteStream, type Profile, SocketLink, WriteBatch } from "fleetrig/protocol";
import { Canary } from "./canary.js";
import { ClientRecord, SubscriptionHistory } from "./client-record.js";

/** What can happen to one of the connections, or to time. */
export type Action =
  | { readonly kind: "open" | "end" | "reset" | "stall" | "drain"; readonly at: number }
  /** Bytes, and how many of them come in one piece. */
  | { readonly kind: "send"; readonly at: number; readonly bytes: Buffer; readonly pieces: readonly number[] }
  | { readonly kind: "advance"; readonly us: number };

/** A slow client's socket buffer, once it no longer reads. */
const STALLED_BYTES = 2 * 1_048_576;
/** Longer than every session and every will delay that the limits below allow. */
const AFTERMATH_US = 7_300 * US_PER_S;
const LIMITS = {
  sessionExpiryS: 3_600,
  persistentSessionS: 3_600,
  retainedMessages: 20,
  queuedMessagesPerSession: 200,
  maxInflight: 20,
  receiveMaximum: 20,
};

/** The broker's end of a connection in memory. */
class FuzzStream extends EventEmitter implements ByteStream {
  writableLength = 0;
  isEnded = false;
  isPaused = false;
  private isStalled = false;
  private written: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    if (this.isEnded) throw new Error("the broker writes into a stream that it has ended");
    this.written.push(bytes);
    if (this.isStalled) this.writableLength += bytes.length;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isEnded = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  stall(): void {
    this.isStalled = true;
    this.writableLength += STALLED_BYTES;
  }

  drain(): void {
    this.isStalled = false;
    this.writableLength = 0;
    this.emit("drain");
  }

  takeWritten(): readonly Uint8Array[] {
    const { written } = this;
    this.written = [];
    return written;
  }
}

/** A connection, its two records and what still waits because the broker does not read. */
interface Line {
  readonly stream: FuzzStream;
  readonly record: ClientRecord;
  readonly transcript: Buffer[] | undefined;
  held: Buffer[];
  isClosed: boolean;
}

/** A whole broker over streams in memory, its connections, a canary, and the rules that hold after every action. */
export class FuzzStage {
  readonly broker: MqttBroker;
  readonly lines: (Line | undefined)[] = [];
  /** Longest time that one piece of input took, by `nowMs`. */
  worstMs = 0;
  /** Default: the wall clock, on which a busy machine shows as well. */
  nowMs: () => number = () => performance.now();
  private readonly time = new VirtualTime();
  private readonly turns: (() => void)[] = [];
  private readonly batch = new WriteBatch((task) => this.turns.push(task));
  private history: SubscriptionHistory;
  private canary: Canary;
  private opened = 0;

  /** @param transcript Gets everything the broker writes, per connection in the order of opening. */
  constructor(
    readonly profile: Profile,
    private readonly transcript?: Buffer[][],
  ) {
    this.history = new SubscriptionHistory(profile);
    this.broker = new MqttBroker({
      clock: this.time.lane(LANE.broker),
      random: createRandomSource(1).stream("broker"),
      events: silentSink,
      profile,
      limits: LIMITS,
      hooks: { authenticate },
    });
    this.canary = this.newCanary();
  }

  /** Ready to take bytes? */
  isOpen(at: number): boolean {
    const line = this.lines[at];
    return line !== undefined && !line.isClosed && !line.stream.isEnded;
  }

  /** @returns what is wrong afterwards; nothing, if all is well. */
  perform(action: Action): readonly string[] {
    const complaints: string[] = [];
    try {
      this.act(action);
      this.takeTurns();
      this.look(complaints);
      const lost = this.canary.sing();
      if (lost !== undefined) complaints.push(lost);
      this.look(complaints);
    } catch (error) {
      complaints.push(
        `it throws: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    return complaints;
  }

  /** Closes everything and lets time pass. @returns what is left over. */
  aftermath(): readonly string[] {
    const complaints: string[] = [];
    try {
      for (const [at] of this.lines.entries()) this.shut(at, at % 2 === 0 ? "end" : "error");
      this.takeTurns();
      this.canary.leave();
      const { connections } = this.broker.statistics();
      if (connections !== 0) complaints.push(`${connections} connections are left over`);
      this.time.advance(AFTERMATH_US);
      this.takeTurns();
      complaints.push(...this.remains());
      this.lines.length = 0;
      this.history = new SubscriptionHistory(this.profile);
      this.canary = this.newCanary();
    } catch (error) {
      complaints.push(
        `it throws: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    return complaints;
  }

  private remains(): readonly string[] {
    const {
      connections,
      sessions,
      subscriptions,
      shareGroups,
      queuedMessages,
      queuedBytes,
      pendingWills,
      retained,
    } = this.broker.statistics();
    // Retained messages may expire in decades: one timer looks for those that have.
    const timers = Math.max(0, this.time.heap.size - (retained > 0 ? 1 : 0));
    const gauges = {
      connections,
      sessions,
      subscriptions,
      shareGroups,
      queuedMessages,
      queuedBytes,
      pendingWills,
    };
    const left = Object.entries({ ...gauges, timers }).filter(([, value]) => value !== 0);
    return left.map(([name, value]) => `${value} ${name} are left over`);
  }

  private newCanary(): Canary {
    const stream = this.connect("canary");
    return new Canary(stream, () => this.takeTurns());
  }

  private connect(remoteAddress: string): FuzzStream {
    const stream = new FuzzStream();
    const { packetBytes: maxPacketBytes } = this.broker.limits;
    const host = { role: "server", batch: this.batch, maxPacketBytes, linger: () => undefined } as const;
    const link = new SocketLink(host, { stream, remoteAddress });
    link.attach(this.broker.accept(link));
    return stream;
  }

  private act(action: Action): void {
    if (action.kind === "advance") {
      this.time.advance(action.us);
      return;
    }
    const { at } = action;
    if (action.kind === "open") {
      this.shut(at, "error");
      this.open(at);
      return;
    }
    const line = this.lines[at];
    if (line === undefined || line.isClosed) return;
    if (action.kind === "send") this.send(line, action);
    else if (action.kind === "stall") line.stream.stall();
    else if (action.kind === "drain") line.stream.drain();
    else this.shut(at, action.kind === "end" ? "end" : "error");
    this.deliverHeld(line);
  }

  private open(at: number): void {
    const stream = this.connect("fuzz");
    this.opened += 1;
    const { packetBytes } = this.broker.limits;
    const record = new ClientRecord(packetBytes, this.history, `unnamed ${this.opened}`);
    const transcript = this.transcript === undefined ? undefined : [];
    if (transcript !== undefined) this.transcript!.push(transcript);
    this.lines[at] = { stream, record, transcript, held: [], isClosed: false };
  }

  private send(line: Line, { bytes, pieces }: Action & { readonly kind: "send" }): void {
    if (line.stream.isEnded) return;
    let at = 0;
    for (const length of [...pieces, bytes.length]) {
      if (at >= bytes.length) break;
      line.held.push(bytes.subarray(at, at + length));
      at += length;
    }
    line.record.sends(bytes);
    this.deliverHeld(line);
  }

  /** As a socket would: nothing comes while the broker does not read. */
  private deliverHeld({ stream, held }: Line): void {
    while (held.length > 0 && !stream.isPaused) {
      const startedMs = this.nowMs();
      stream.emit("data", held.shift());
      this.takeTurns();
      this.worstMs = Math.max(this.worstMs, this.nowMs() - startedMs);
    }
  }

  private shut(at: number, event: "end" | "error"): void {
    const line = this.lines[at];
    if (line === undefined || line.isClosed) return;
    line.isClosed = true;
    line.held = [];
    if (!line.stream.isEnded) line.stream.emit(event);
    this.takeTurns();
    line.stream.emit("close");
    this.takeTurns();
  }

  private look(complaints: string[]): void {
    for (const [at, line] of this.lines.entries()) {
      if (line === undefined) continue;
      const { stream, record } = line;
      for (const bytes of stream.takeWritten()) {
        record.receives(bytes);
        line.transcript?.push(Buffer.from(bytes));
      }
      if (record.isRefused && !stream.isEnded && !line.isClosed && line.held.length === 0)
        complaints.push(`connection ${at} stays open after bytes that are no MQTT`);
      complaints.push(...record.complaints.splice(0).map((what) => `connection ${at}: ${what}`));
    }
  }

  private takeTurns(): void {
    for (let turn = this.turns.shift(); turn !== undefined; turn = this.turns.shift()) turn();
  }
}

/** One more question for everybody; whoever answers with the letter m is in. */
function authenticate({ step, data }: AuthenticationStep): AuthenticationOutcome {
  if (step < 2) return { challenge: Buffer.from("?") };
  return data?.[0] === 0x6d ? { isAuthenticated: true } : { refuse: 0x87 };
}

import { encodeBytes, matchesBytes, PacketCutter } from "./byte-pattern.js";
import type { ClientEvent, Step } from "./script.js";

/** One client's network connection, as the player sees it. */
export interface Wire {
  /** The way to the server is open (sockets need a moment). */
  readonly isReady: boolean;
  /** The server has ended it. */
  readonly isClosed: boolean;
  /** Packets received and not looked at yet, whole ones only. */
  readonly inbox: Buffer[];
  send(bytes: Buffer): void;
  end(): void;
  drop(): void;
}

/** A server under test and the ways to it. */
export interface Stage {
  /** Everything that follows from a call has happened when the call returns. Sockets take turns instead. */
  readonly isImmediate: boolean;
  dial(): Wire;
  advance(us: number): void;
  /** Connections the server knows of. */
  connections(): number;
  stop(): void;
}

/** Something that has to become true before the script can go on, and the line that needs it. */
export interface Condition {
  readonly line: string;
  readonly holds: () => boolean;
}

type Waiting<T = void> = Generator<() => boolean, T>;

const PINGREQ = Buffer.from("c000", "hex");
const PINGRESP = Buffer.from("d000", "hex");
const hex = (packets: readonly Buffer[]): string =>
  packets.length === 0 ? "nothing" : packets.map((packet) => packet.toString("hex")).join(" ");

/** What the player knows of one client. */
class Peer {
  readonly wire: Wire;
  isConnected = false;
  /** The server may not have handled everything that was sent. */
  isUnsettled = false;
  private readonly sent = new PacketCutter();

  constructor(stage: Stage) {
    this.wire = stage.dial();
  }

  send(bytes: Buffer): void {
    this.sent.push(bytes);
    this.isUnsettled = true;
    this.wire.send(bytes);
  }

  take(): Buffer {
    const packet = this.wire.inbox.shift()!;
    if (packet[0] === 0x20 && packet[3] === 0) this.isConnected = true;
    return packet;
  }

  get canPing(): boolean {
    return this.isConnected && !this.wire.isClosed && this.sent.isBetweenPackets;
  }
}

/**
 * Plays a script and throws at the first line that does not come true. It pauses at every condition it has to wait
 * for, so that the same player serves a server in memory, where a condition holds at once or never, and one behind
 * sockets. There it sends PINGREQs of its own, at the moments where the order between two clients matters and where
 * a client is to have received nothing: what comes before PINGRESP has come, what does not will not.
 */
export function* play(steps: readonly Step[], stage: Stage): Generator<Condition, void> {
  const peers = new Map<string, Peer>();
  for (const step of steps) {
    for (const holds of take(step, peers, stage)) yield { line: step.line, holds };
  }
}

function* take(step: Step, peers: Map<string, Peer>, stage: Stage): Waiting {
  if (!stage.isImmediate) yield* settleOthers(peers, "client" in step ? step.client : undefined);
  switch (step.kind) {
    case "advance":
      return stage.advance(step.us);
    case "stop":
      return stage.stop();
    case "expect":
      return yield* expectPacket(step, peers);
    case "send": {
      const peer = yield* reach(step.client, peers, stage);
      return peer.send(encodeBytes(step.bytes));
    }
    default:
      return yield* clientEvent(step, peers, stage);
  }
}

/** The client's connection; opened when it has none, or the script has seen the last one end. */
function* reach(client: string, peers: Map<string, Peer>, stage: Stage): Waiting<Peer> {
  const known = peers.get(client);
  if (known !== undefined) return known;
  const peer = new Peer(stage);
  peers.set(client, peer);
  yield () => peer.wire.isReady;
  return peer;
}

function* expectPacket(step: Step & { kind: "expect" }, peers: Map<string, Peer>): Waiting {
  const candidates = step.clients.flatMap((client) => peers.get(client) ?? []);
  const waiting = (): Peer | undefined => candidates.find(({ wire }) => wire.inbox.length > 0);
  yield () => waiting() !== undefined || candidates.every(({ wire }) => wire.isClosed);
  const peer = waiting();
  if (peer === undefined) throw new Error(`${step.line}\n  received: the end of the connection`);
  const packet = peer.take();
  peer.isUnsettled = peer.wire.inbox.length > 0;
  if (!matchesBytes(step.bytes, packet)) throw new Error(`${step.line}\n  received: ${hex([packet])}`);
}

function* clientEvent(step: Step & { kind: ClientEvent }, peers: Map<string, Peer>, stage: Stage): Waiting {
  const peer = yield* reach(step.client, peers, stage);
  const { wire } = peer;
  switch (step.kind) {
    case "silent":
      if (!stage.isImmediate) yield* ping(peer);
      if (wire.inbox.length > 0 || wire.isClosed)
        throw new Error(
          `${step.line}\n  received: ${hex(wire.inbox)}${wire.isClosed ? ", then the end" : ""}`,
        );
      return;
    case "closed":
      yield () => wire.isClosed || wire.inbox.length > 0;
      if (wire.inbox.length > 0) throw new Error(`${step.line}\n  received: ${hex(wire.inbox)}`);
      peers.delete(step.client);
      return;
    default: {
      const before = stage.connections();
      if (step.kind === "drops") wire.drop();
      else wire.end();
      peers.delete(step.client);
      if (peer.isConnected) yield () => stage.connections() < before;
    }
  }
}

/** Waits until the server has handled what other clients sent. */
function* settleOthers(peers: ReadonlyMap<string, Peer>, client: string | undefined): Waiting {
  for (const [name, peer] of peers) if (name !== client && peer.isUnsettled) yield* ping(peer);
}

/** A round trip that leaves no trace in the inbox. */
function* ping(peer: Peer): Waiting {
  peer.isUnsettled = false;
  if (!peer.canPing) return;
  const { wire } = peer;
  const before = wire.inbox.length;
  wire.send(PINGREQ);
  const answerAt = (): number =>
    wire.inbox.findIndex((packet, index) => index >= before && packet.equals(PINGRESP));
  yield () => answerAt() >= 0 || wire.isClosed;
  const index = answerAt();
  if (index >= 0) wire.inbox.splice(index, 1);
}

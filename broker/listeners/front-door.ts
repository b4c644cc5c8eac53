import type { Socket } from "node:net";
import { atHostTurnEnd, type Clock, US_PER_MS } from "fleetrig/kernel";
import {
  type ByteStream,
  type DecodeFailure,
  type LinkEnd,
  type LinkHost,
  type LinkPeer,
  type PacketAcceptor,
  SocketLink,
  WriteBatch,
} from "fleetrig/protocol";
import { AcceptRates } from "./accept-rates.js";
import { type Arrival, type Door, ignoreErrors, remoteOf, type Stage } from "./arrival.js";
import { DeadlineQueue } from "./deadline-queue.js";
import type { AcceptRate } from "./listener-options.js";
import { REJECTION_REASONS, type Rejection, type RejectionReason } from "./rejection.js";
import type { SocketBudget } from "./socket-budget.js";
import { StallWatch } from "./stall-watch.js";

/** How long a socket that we ended may wait for the other side to end too. */
const LINGER_S = 2;

/** What a front door puts up with, and whom it tells. */
export interface FrontDoorOptions {
  readonly acceptor: PacketAcceptor;
  readonly clock: Clock;
  readonly maxPacketBytes: number;
  readonly connectDeadlineMs: number;
  readonly stallDeadlineS: number;
  readonly maxConnections: number;
  readonly acceptRate: AcceptRate | undefined;
  readonly budget: SocketBudget;
  /** MQTT is spoken on the sockets themselves: there are no stages. */
  readonly isDirect: boolean;
  /** Unix sockets have no address of their own. */
  readonly remoteAddress: string | undefined;
  rejected(rejection: Rejection): void;
  refused(failure: DecodeFailure, remoteAddress: string): void;
}

/**
 * The sockets of one listener from accept to close: who is let in, how long each may take to say CONNECT, and the
 * link that speaks MQTT on it. What lies between accept and MQTT (PROXY header, TLS, WebSocket) are stages.
 */
export class FrontDoor implements Door {
  /** Every socket, with its link once it has passed all stages. */
  readonly sockets = new Map<Socket, SocketLink | undefined>();
  /** Sockets that need not say CONNECT. */
  private readonly spared = new Set<Socket>();
  private stage: Stage | undefined;
  private peer: LinkPeer | undefined;
  private accepted = 0;
  private readonly rejections = Object.fromEntries(REJECTION_REASONS.map((reason) => [reason, 0])) as Record<
    RejectionReason,
    number
  >;
  private readonly rates: AcceptRates | undefined;
  private readonly connecting: DeadlineQueue<Socket>;
  private readonly lingering: DeadlineQueue<ByteStream>;
  private readonly stalls: StallWatch;
  private readonly batch = new WriteBatch(atHostTurnEnd);
  private readonly host: LinkHost;
  private readonly socketClosed: (this: Socket) => void;

  constructor(private readonly options: FrontDoorOptions) {
    const { clock, connectDeadlineMs, maxPacketBytes, acceptRate, stallDeadlineS } = options;
    const connectDeadlineS = (connectDeadlineMs * US_PER_MS) / 1_000_000;
    this.connecting = new DeadlineQueue(clock, connectDeadlineS, (socket) => this.connectIsLate(socket));
    this.lingering = new DeadlineQueue(clock, LINGER_S, (stream) => stream.destroy());
    this.stalls = new StallWatch(clock, stallDeadlineS, this.sockets, (socket) =>
      this.evict(socket, "stalled", "a packet was begun and not completed"),
    );
    if (acceptRate !== undefined) this.rates = new AcceptRates(clock, acceptRate);
    this.host = {
      role: "server",
      batch: this.batch,
      maxPacketBytes,
      endsByClosing: options.isDirect,
      linger: (stream) => this.lingering.add(stream),
      refused: (failure, remoteAddress) => this.options.refused(failure, remoteAddress),
    };
    const leave = (socket: Socket): void => this.left(socket);
    this.socketClosed = function closed(this: Socket) {
      leave(this);
    };
  }

  /** Names the first stage, if any, and what all links have in common; to be called before the first socket. */
  begin(stage: Stage | undefined, peer: LinkPeer): void {
    this.stage = stage;
    this.peer = peer;
  }

  readonly accept = (socket: Socket): void => {
    const refusal = this.refusalOf(socket);
    if (refusal !== undefined) {
      this.turnAway(socket, refusal);
      return;
    }
    this.accepted += 1;
    this.sockets.set(socket, undefined);
    socket.on("close", this.socketClosed);
    this.connecting.add(socket);
    this.stalls.wake();
    const { stage } = this;
    const remoteAddress = this.addressOf(socket);
    if (stage === undefined) this.open(socket, { stream: socket, remoteAddress, peer: this.peer! });
    else stage.enter({ socket, stream: socket, remoteAddress });
  };

  admit(arrival: Arrival, stream: ByteStream): SocketLink | undefined {
    const { socket, remoteAddress } = arrival;
    if (!this.sockets.has(socket)) return undefined;
    if (this.spared.delete(socket)) this.connecting.add(socket);
    return this.open(socket, { stream, remoteAddress, peer: this.peerOf(arrival) });
  }

  spare({ socket }: Arrival): void {
    this.connecting.delete(socket);
    this.spared.add(socket);
  }

  peerOf({ facts }: Arrival): LinkPeer {
    return facts === undefined ? this.peer! : { ...this.peer!, ...facts };
  }

  note({ remoteAddress }: Arrival, reason: RejectionReason, detail: string): void {
    this.count(reason, detail, remoteAddress);
  }

  reject({ socket, remoteAddress }: Arrival, reason: RejectionReason, detail: string): void {
    this.count(reason, detail, remoteAddress);
    socket.destroy();
  }

  counts(): { accepted: number; dropped: Record<RejectionReason, number> } {
    return { accepted: this.accepted, dropped: { ...this.rejections } };
  }

  /** What was sent goes to the network, then every socket goes. */
  closeAll(): void {
    for (const link of this.sockets.values()) link?.close();
    this.batch.flush();
    this.stage?.stop();
    for (const socket of this.sockets.keys()) socket.destroy();
    this.connecting.stop();
    this.lingering.stop();
    this.stalls.stop();
    this.rates?.stop();
  }

  private open(socket: Socket, end: LinkEnd): SocketLink {
    const link = new SocketLink(this.host, end);
    this.sockets.set(socket, link);
    link.attach(this.options.acceptor.accept(link));
    return link;
  }

  private addressOf(socket: Socket): string {
    return this.options.remoteAddress ?? remoteOf(socket);
  }

  private refusalOf(socket: Socket): RejectionReason | undefined {
    const { maxConnections, budget } = this.options;
    if (this.sockets.size >= maxConnections) return "max-connections";
    if (this.rates !== undefined && !this.rates.admits(socket.remoteAddress ?? "")) return "accept-rate";
    return budget.take() ? undefined : "descriptors";
  }

  private turnAway(socket: Socket, reason: RejectionReason): void {
    const remoteAddress = this.addressOf(socket);
    ignoreErrors(socket);
    // A reset frees the port and the memory at once: nobody turned away leaves a socket in TIME_WAIT here.
    socket.resetAndDestroy();
    this.count(reason, `${this.sockets.size} sockets are open`, remoteAddress);
  }

  private count(reason: RejectionReason, detail: string, remoteAddress: string): void {
    this.rejections[reason] += 1;
    this.options.rejected({ reason, detail, remoteAddress });
  }

  private left(socket: Socket): void {
    if (!this.sockets.delete(socket)) return;
    this.options.budget.giveBack();
    this.spared.delete(socket);
    this.connecting.delete(socket);
  }

  private connectIsLate(socket: Socket): void {
    const link = this.sockets.get(socket);
    if (link?.isOpened !== true) this.evict(socket, "deadline", "no CONNECT came in time");
  }

  private evict(socket: Socket, reason: RejectionReason, detail: string): void {
    const link = this.sockets.get(socket);
    this.count(reason, detail, link?.remoteAddress ?? this.addressOf(socket));
    if (link === undefined) socket.destroy();
    else link.destroy();
  }
}

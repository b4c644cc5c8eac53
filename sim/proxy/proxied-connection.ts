import type { Socket } from "node:net";
import { type Clock, type Timer, US_PER_S } from "fleetrig/kernel";
import { PacketDecoder } from "fleetrig/protocol";
import type { Direction } from "../links/link-fault.js";
import type { DevicePath, DevicePaths } from "./device-paths.js";
import { FrameCutter, type Piece } from "./frame-cutter.js";
import type { ProxyTally } from "./proxy-counters.js";
import { ProxyLane, type StreamEnd } from "./proxy-lane.js";

/** What the connections of one proxy share. */
export interface ProxiedConnectionOptions {
  readonly clock: Clock;
  readonly isRaw: boolean;
  readonly paths: DevicePaths;
  readonly tally: ProxyTally;
  /** Begins to connect to the target. */
  readonly dial: () => Socket;
  /** The target could not be reached. */
  readonly targetFailed: (reason: string) => void;
  /** Both sockets are gone. */
  readonly over: (connection: ProxiedConnection) => void;
}

type Phase =
  /** Who is it? The first packet of a client says. */
  | "identifying"
  /** The target is asked, or a fault takes its time before it turns the client away. */
  | "dialing"
  | "open"
  /** Nothing crosses any more and nobody is told: severed, or never let through. */
  | "dead"
  /** Both sides are being told of the end. */
  | "ending";

/** A client that has not sent its CONNECT by then goes through without a name. */
const IDENTIFY_US = 10 * US_PER_S;
const TARGET_TIMEOUT_US = 10 * US_PER_S;
/** After one side has ended, the other may be silent for so long. */
const HALF_OPEN_US = 30 * US_PER_S;
/** How long a connection that a fault ended may wait for the peers to end too. */
const LINGER_US = 2 * US_PER_S;

/** A client's connection and the one made for it to the target, with the faults of a path between them. */
export class ProxiedConnection {
  private readonly options: ProxiedConnectionOptions;
  private readonly client: Socket;
  private target: Socket | undefined;
  private phase: Phase = "identifying";
  private path: DevicePath | undefined;
  /** What said who the client is; it goes on once the connection is open. */
  private early: Piece | undefined;
  private readonly cutters: Readonly<Record<Direction, FrameCutter>>;
  private lanes: Readonly<Record<Direction, ProxyLane>> | undefined;
  /** The one deadline of the phase. */
  private deadline: Timer | undefined;
  /** Sides whose end was seen. */
  private readonly ended = { up: false, down: false };
  /** Sides whose socket is gone. */
  private readonly closed = { up: false, down: false };

  constructor(client: Socket, options: ProxiedConnectionOptions) {
    this.client = client;
    this.options = options;
    this.cutters = { up: this.cutter("up"), down: this.cutter("down") };
    this.listen(client, "up");
    client.on("error", () => undefined);
    client.on("close", () => this.sideClosed("up"));
    if (options.isRaw) this.identified("");
    else this.deadline = options.clock.after(IDENTIFY_US, () => this.identified(""));
  }

  /** RST to both sides. */
  reset(): void {
    this.options.tally.connections.reset += 1;
    this.phase = "ending";
    this.closeLanes();
    this.client.resetAndDestroy();
    this.target?.resetAndDestroy();
  }

  /** Nothing crosses any more; see the blackhole fault. */
  sever(): void {
    this.options.tally.connections.severed += 1;
    this.phase = "dead";
    this.deadline?.cancel();
    this.closeLanes();
    this.path?.faults.detach(this);
  }

  /** The proxy stops. */
  destroy(): void {
    this.phase = "ending";
    this.closeLanes();
    this.client.destroy();
    this.target?.destroy();
  }

  private cutter(direction: Direction): FrameCutter {
    return new FrameCutter((piece) => this.take(direction, piece), { isOpaque: this.options.isRaw });
  }

  private listen(socket: Socket, direction: Direction): void {
    socket.on("data", (chunk) => this.read(direction, chunk));
    socket.on("end", () => this.sideEnded(direction, "fin"));
    socket.on("drain", () => this.lanes?.[direction === "up" ? "down" : "up"].relieve());
  }

  private read(direction: Direction, chunk: Buffer): void {
    this.options.tally[direction].receivedBytes += chunk.length;
    if (this.phase === "dead") this.sentIntoNothing(direction);
    else if (this.phase !== "ending") {
      this.cutters[direction].push(chunk);
      this.lanes?.[direction].flush();
    }
  }

  private take(direction: Direction, piece: Piece): void {
    if (piece.packet !== undefined) this.options.tally[direction].packets += 1;
    if (this.lanes !== undefined) {
      this.lanes[direction].pass(piece);
      return;
    }
    if (this.phase !== "identifying") return;
    this.early = piece;
    this.identified(clientIdOf(piece));
  }

  /** The device is known: its path says what becomes of the attempt. */
  private identified(clientId: string): void {
    const { clock, paths } = this.options;
    this.deadline?.cancel();
    this.phase = "dialing";
    this.client.pause();
    this.cutters.up.pause();
    const path = paths.enter(clientId);
    this.path = path;
    const obstacle = path.faults.obstruct();
    if (obstacle === undefined) this.dial();
    else if (obstacle === "vanish") this.vanish();
    else this.deadline = clock.after(path.link.roundTripUs(), () => this.turnAway());
  }

  private vanish(): void {
    this.options.tally.connections.vanished += 1;
    this.phase = "dead";
    this.early = undefined;
    this.client.resume();
  }

  private turnAway(): void {
    this.options.tally.connections.refused += 1;
    this.phase = "ending";
    this.client.resetAndDestroy();
  }

  private dial(): void {
    const { clock, dial } = this.options;
    const target = dial();
    this.target = target;
    target.once("connect", () => this.connected());
    target.on("error", (error: NodeJS.ErrnoException) => this.dialFailed(error.code ?? error.message));
    target.on("close", () => this.sideClosed("down"));
    this.deadline = clock.after(TARGET_TIMEOUT_US, () => this.dialFailed("ETIMEDOUT"));
  }

  /** As when a device dials in a scenario, the handshake of the path begins when the real one is done. */
  private connected(): void {
    if (this.phase !== "dialing") return;
    this.deadline?.cancel();
    const roundTripUs = this.path!.link.roundTripUs();
    if (roundTripUs === 0) this.open();
    else this.deadline = this.options.clock.after(roundTripUs, () => this.open());
  }

  private dialFailed(reason: string): void {
    if (this.phase !== "dialing") return;
    this.options.tally.connections.targetFailed += 1;
    this.options.targetFailed(reason);
    this.phase = "ending";
    this.deadline?.cancel();
    this.target?.destroy();
    this.client.resetAndDestroy();
  }

  private open(): void {
    const { client, path, target } = this;
    if (target === undefined || path === undefined || client.destroyed) return;
    const { tally } = this.options;
    const ended = (direction: Direction, end: StreamEnd): void => this.pass(direction, end);
    this.phase = "open";
    this.lanes = {
      up: new ProxyLane({ direction: "up", path, source: client, target, tally, ended }),
      down: new ProxyLane({ direction: "down", path, source: target, target: client, tally, ended }),
    };
    path.faults.attach(this);
    this.listen(target, "down");
    if (this.early !== undefined) this.lanes.up.pass(this.early);
    this.early = undefined;
    this.cutters.up.resume();
    this.lanes.up.flush();
    client.resume();
  }

  /** Who sends on a dead connection hears a reset once the path works again; before, nothing. */
  private sentIntoNothing(direction: Direction): void {
    const { path } = this;
    if (path === undefined || path.faults.obstruct() === "vanish") return;
    const socket = direction === "up" ? this.client : this.target;
    this.options.clock.after(path.link.roundTripUs(), () => socket?.resetAndDestroy());
  }

  /** One side ended its stream, or broke. */
  private sideEnded(direction: Direction, end: StreamEnd): void {
    if (this.ended[direction]) return;
    this.ended[direction] = true;
    if (this.phase === "open") {
      this.cutters[direction].end();
      this.lanes?.[direction].end(end);
      return;
    }
    // Nobody is there to be told, or nobody may be.
    (direction === "up" ? this.client : this.target)?.destroy();
  }

  /** The end of one side's stream reaches the other. */
  private pass(direction: Direction, end: StreamEnd): void {
    const { client, target } = this;
    const receiver = direction === "up" ? target : client;
    if (end === "reset") {
      receiver?.resetAndDestroy();
    } else if (end === "fin") {
      receiver?.end();
      this.deadline?.cancel();
      this.deadline = this.options.clock.after(HALF_OPEN_US, () => this.silent(this.bytesSoFar()));
    } else {
      this.phase = "ending";
      this.closeLanes();
      client.end();
      target?.end();
      client.resume();
      target?.resume();
      this.deadline?.cancel();
      this.deadline = this.options.clock.after(LINGER_US, () => this.destroy());
    }
  }

  private bytesSoFar(): number {
    return this.client.bytesWritten + (this.target?.bytesWritten ?? 0);
  }

  private silent(bytesBefore: number): void {
    const bytes = this.bytesSoFar();
    if (bytes === bytesBefore) this.destroy();
    else this.deadline = this.options.clock.after(HALF_OPEN_US, () => this.silent(bytes));
  }

  private sideClosed(direction: Direction): void {
    const { lanes, target } = this;
    this.closed[direction] = true;
    this.sideEnded(direction, "reset");
    lanes?.[direction === "up" ? "down" : "up"].close();
    if (this.phase === "dialing" && direction === "down") this.dialFailed("closed");
    if (this.phase === "dialing" || this.phase === "identifying") {
      this.phase = "ending";
      target?.destroy();
    }
    if (this.closed.up && (this.closed.down || target === undefined)) this.finish();
  }

  private finish(): void {
    this.deadline?.cancel();
    this.closeLanes();
    if (this.path !== undefined) {
      this.path.faults.detach(this);
      this.options.paths.leave(this.path);
      this.path = undefined;
    }
    this.options.over(this);
  }

  private closeLanes(): void {
    this.lanes?.up.close();
    this.lanes?.down.close();
  }
}

/** Longer client identifiers count as none: paths are kept by them. */
const CLIENT_ID_CHARS_MAX = 1_024;

/** The client identifier in a CONNECT; empty when there is none to be read. */
function clientIdOf(piece: Piece): string {
  let clientId = "";
  if (piece.packet?.type !== "connect") return clientId;
  const decoder = new PacketDecoder({ role: "server", maxPacketBytes: piece.bytes.length });
  decoder.push(piece.bytes, (packet) => {
    if (packet.type === "connect") clientId = packet.clientId;
  });
  return clientId.length > CLIENT_ID_CHARS_MAX ? "" : clientId;
}

import type { Timer } from "fleetrig/kernel";
import type {
  Dialer,
  DialFailure,
  DialHandlers,
  LinkPeer,
  PacketAcceptor,
  PendingLink,
} from "fleetrig/protocol";
import { LinkPath, type LinkPathOptions } from "./link-path.js";
import { MemoryLink } from "./memory-link.js";

/** A way to a broker in the same process. */
export interface MemoryDialerOptions extends LinkPathOptions {
  /** The broker's door. */
  readonly acceptor: PacketAcceptor;
  /** What the broker sees as the device's address. */
  readonly address?: string;
  /** What the broker knows about the device as if there were a transport; asked for each link. */
  readonly peer?: (() => LinkPeer | undefined) | undefined;
}

/**
 * A device's way to a broker in the same process. A dial takes one round trip of the profile before `opened`;
 * the broker accepts at that same instant. Nothing is encoded: packets cross as objects with their wire size.
 */
export const createMemoryDialer = (options: MemoryDialerOptions): Dialer => new MemoryDialer(options);

class MemoryDialer implements Dialer {
  readonly path: LinkPath;
  readonly acceptor: PacketAcceptor;
  readonly address: string;
  readonly peer: MemoryDialerOptions["peer"];

  constructor(options: MemoryDialerOptions) {
    this.path = new LinkPath(options);
    this.acceptor = options.acceptor;
    this.address = options.address ?? "memory:device";
    this.peer = options.peer;
  }

  dial(handlers: DialHandlers): PendingLink {
    return new PendingMemoryLink(this, handlers);
  }
}

class PendingMemoryLink implements PendingLink {
  private readonly failure: DialFailure | undefined;
  private readonly timer: Timer | undefined;

  constructor(
    private readonly dialer: MemoryDialer,
    private readonly handlers: DialHandlers,
  ) {
    const { path } = dialer;
    const obstacle = path.faults.obstruct();
    if (obstacle === "vanish") return;
    this.failure = obstacle;
    this.timer = path.clock.after(path.roundTripUs(), settle, this);
  }

  settle(): void {
    const { path, acceptor, address, peer } = this.dialer;
    if (this.failure !== undefined) {
      this.handlers.failed(this.failure);
      return;
    }
    const link = new MemoryLink(path, address, peer?.());
    link.server.receiver = acceptor.accept(link.server);
    path.faults.attach(link);
    link.client.receiver = this.handlers.opened(link.client);
  }

  abandon(): void {
    this.timer?.cancel();
  }
}

const settle = (pending: PendingMemoryLink): void => pending.settle();

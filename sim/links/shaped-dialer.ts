import type { Timer } from "fleetrig/kernel";
import type {
  Dialer,
  DialFailure,
  DialHandlers,
  PacketLink,
  PacketReceiver,
  PendingLink,
} from "fleetrig/protocol";
import { LinkPath, type LinkPathOptions } from "./link-path.js";
import { ShapedLink } from "./shaped-link.js";

/** A way over somebody else's links. */
export interface ShapedDialerOptions extends LinkPathOptions {
  /** Makes the real connections. */
  readonly inner: Dialer;
}

/**
 * Bends the links of any dialer to a link profile and to link faults, so that a scenario on sockets knows the
 * same networks as one in virtual time. The profile comes on top of what the real path takes.
 */
export function createShapedDialer(options: ShapedDialerOptions): Dialer {
  const path = new LinkPath(options);
  return { dial: (handlers) => new PendingShapedLink(options.inner, path, handlers) };
}

class PendingShapedLink implements PendingLink, DialHandlers {
  private timer: Timer | undefined;
  private inner: PendingLink | undefined;
  private link: ShapedLink | undefined;

  constructor(
    dialer: Dialer,
    private readonly path: LinkPath,
    private readonly handlers: DialHandlers,
  ) {
    const obstacle = path.faults.obstruct();
    if (obstacle === "vanish") return;
    if (obstacle === undefined) this.inner = dialer.dial(this);
    else this.timer = path.clock.after(path.roundTripUs(), () => handlers.failed(obstacle));
  }

  /** The handshake of the profile begins when that of the real path is done. */
  opened(inner: PacketLink): PacketReceiver {
    this.inner = undefined;
    const link = new ShapedLink(inner, this.path);
    this.link = link;
    this.timer = this.path.clock.after(this.path.roundTripUs(), () => this.settle(link));
    return link;
  }

  failed(reason: DialFailure): void {
    this.inner = undefined;
    this.handlers.failed(reason);
  }

  abandon(): void {
    this.timer?.cancel();
    this.inner?.abandon();
    this.link?.destroy();
  }

  private settle(link: ShapedLink): void {
    this.link = undefined;
    if (link.hasEnded) {
      this.handlers.failed("unreachable");
      return;
    }
    this.path.faults.attach(link);
    link.receiver = this.handlers.opened(link);
  }
}

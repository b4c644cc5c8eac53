import { connect } from "node:net";
import { atHostTurnEnd } from "fleetrig/kernel";
import { type Dialer, WriteBatch } from "fleetrig/protocol";
import { SocketDial, type SocketDialOptions } from "./socket-dial.js";

/** Where to connect, and what to put up with. */
export type TcpDialerOptions = SocketDialOptions;

/**
 * A way out over TCP for virtual devices, to our own broker or to any other. One dialer serves a whole fleet;
 * its links share one write per socket and turn of the event loop.
 */
export function createTcpDialer(options: TcpDialerOptions): Dialer {
  const batch = new WriteBatch(atHostTurnEnd);
  const { host, port } = options;
  return {
    dial: (handlers) =>
      new SocketDial(options, batch, handlers, {
        socket: connect({ host, port, noDelay: true, allowHalfOpen: true }),
        readyEvent: "connect",
      }),
  };
}

import { connect } from "node:tls";
import { atHostTurnEnd } from "fleetrig/kernel";
import { type Dialer, WriteBatch } from "fleetrig/protocol";
import type { Wallet } from "../credentials/wallet.js";
import { SocketDial, type SocketDialOptions } from "./socket-dial.js";

/** Where to connect over TLS, whom to trust and what to show. */
export interface TlsDialerOptions extends SocketDialOptions {
  /** PEM of the authorities that the server's certificate must come from. */
  readonly ca: string;
  /** Name that the server must have, and that is asked for (SNI). */
  readonly serverName: string;
  /** What is shown, as it is when a connection begins. */
  readonly wallet: Wallet;
}

/** A device's way out over mutual TLS, with whatever certificate its wallet has then. */
export function createTlsDialer(options: TlsDialerOptions): Dialer {
  const batch = new WriteBatch(atHostTurnEnd);
  const { host, port, ca, serverName: servername, wallet } = options;
  return {
    dial: (handlers) => {
      const { certificatePem: cert, privateKeyPem: key } = wallet.shown ?? {};
      const socket = connect({ host, port, ca, servername, cert, key });
      socket.setNoDelay(true);
      return new SocketDial(options, batch, handlers, { socket, readyEvent: "secureConnect" });
    },
  };
}

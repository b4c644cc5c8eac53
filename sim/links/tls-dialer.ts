import { connect, createSecureContext, type SecureContext } from "node:tls";
import { atHostTurnEnd } from "fleetrig/kernel";
import { type Dialer, WriteBatch } from "fleetrig/protocol";
import type { DeviceCredential, Wallet } from "../credentials/wallet.js";
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

/** Of claims, which thousands of devices share: reading key and certificates costs as much as a handshake. */
const claimContexts = new WeakMap<DeviceCredential, SecureContext>();

/** A device's way out over mutual TLS, with whatever certificate its wallet has then. */
export function createTlsDialer(options: TlsDialerOptions): Dialer {
  const batch = new WriteBatch(atHostTurnEnd);
  const { host, port, serverName: servername } = options;
  return {
    dial: (handlers) => {
      const socket = connect({ host, port, servername, secureContext: contextOf(options) });
      socket.setNoDelay(true);
      return new SocketDial(options, batch, handlers, { socket, readyEvent: "secureConnect" });
    },
  };
}

function contextOf({ wallet, ca }: TlsDialerOptions): SecureContext {
  const { shown, own } = wallet;
  const known = shown === undefined ? undefined : claimContexts.get(shown);
  if (known !== undefined) return known;
  const { certificatePem: cert, privateKeyPem: key } = shown ?? {};
  const context = createSecureContext({ ca, cert, key });
  if (shown !== undefined && own === undefined) claimContexts.set(shown, context);
  return context;
}

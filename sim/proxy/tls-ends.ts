import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { type Clock, US_PER_S } from "fleetrig/kernel";

/**
 * A proxy sees nothing of what crosses it by TLS, unless it is both ends: the broker to the one client that may come in, and that client to
 * the broker. So the broker still knows the client by its certificate.
 */
export interface ProxyTls {
  /** What clients are shown. */
  readonly server: { readonly certificatePem: string; readonly keyPem: string };
  /** Who may come in, and as whom the proxy goes on to the broker. */
  readonly client: { readonly certificatePem: string; readonly keyPem: string };
  /** Signed both of them, and the broker's. */
  readonly caPem: string;
  /** The broker's name in its certificate. */
  readonly serverName: string;
}

/** A client that has not shown who it is by then is turned away. */
const HANDSHAKE_US = 10 * US_PER_S;
const MAX_HANDSHAKES = 1_000;

/** Both ends of TLS, for the proxy between them. */
export class TlsEnds {
  private readonly context: SecureContext;
  private readonly fingerprint: string;
  private readonly handshakes = new Set<Socket>();

  constructor(
    private readonly options: ProxyTls,
    private readonly clock: Clock,
  ) {
    const { server, client, caPem } = options;
    this.context = createSecureContext({ cert: server.certificatePem, key: server.keyPem, ca: caPem });
    this.fingerprint = new X509Certificate(client.certificatePem).fingerprint256;
  }

  /** Shakes hands. Whoever has not the client's certificate, and its key, is reset. */
  admit(socket: Socket, admitted: (secured: Socket) => void): void {
    const { handshakes, context } = this;
    const turnAway = (): void => void socket.resetAndDestroy();
    socket.on("error", () => undefined);
    if (handshakes.size >= MAX_HANDSHAKES) return turnAway();
    handshakes.add(socket);
    const deadline = this.clock.after(HANDSHAKE_US, turnAway);
    const isOver = (): void => {
      deadline.cancel();
      handshakes.delete(socket);
    };
    socket.once("close", isOver);
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: context,
      requestCert: true,
      rejectUnauthorized: false,
    });
    secured.on("error", turnAway);
    secured.once("secure", () => {
      isOver();
      secured.off("error", turnAway);
      secured.on("error", () => undefined);
      if (secured.getPeerX509Certificate()?.fingerprint256 !== this.fingerprint) turnAway();
      else admitted(resettable(secured, socket));
    });
  }

  /** Goes on over a connection to the broker that is being made. */
  secure(socket: Socket): Socket {
    const { client, caPem, serverName } = this.options;
    const secured = connect({
      socket,
      servername: serverName,
      ca: caPem,
      cert: client.certificatePem,
      key: client.keyPem,
    });
    return resettable(secured, socket);
  }

  /** Ends what has not shown yet who it is. */
  stop(): void {
    for (const socket of this.handshakes) socket.destroy();
  }
}

/** A reset is for the connection below: TLS itself knows none. */
function resettable(secured: TLSSocket, socket: Socket): Socket {
  return Object.assign(secured, {
    resetAndDestroy: () => {
      socket.resetAndDestroy();
      return secured.destroy();
    },
  });
}

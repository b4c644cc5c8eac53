import { type Server, Socket } from "node:net";
import { platform } from "node:os";

/**
 * Node allocates 64 KiB for every read of an accepted socket and gives most of it back: on small messages that is
 * the largest part of what a read costs, in time and in garbage. The `onread` option of `net.Socket` reads into one
 * buffer instead, but `net.Server` does not offer it for the sockets it accepts: here it is told to make them so.
 * That needs a few fields of Node's own; where they are not as expected, sockets are made as always, only slower.
 */
interface ServerParts {
  readonly _handle: ListeningHandle | null;
  /** Open sockets: `close` waits for them. */
  _connections: number;
}

interface ListeningHandle {
  /** Called by Node for each connection: 0, or the number of an error. */
  onconnection(this: ListeningHandle, status: number, accepted: object | undefined): void;
  /** Absent for Unix sockets. */
  setNoDelay?(isOn: boolean): void;
  setKeepAlive?(isOn: boolean, delayS: number): void;
}

interface SocketParts {
  /** Whose `_connections` it counts for. */
  _server: Server;
}

/** As large as what Node would read at once. */
const READ_BYTES = 65_536;
/** What was read is copied out of the shared buffer, small pieces into a slab of this size. */
const SLAB_BYTES = 4_096;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

function copyOut(bytes: number): Buffer {
  if (bytes > SLAB_BYTES / 4) return Buffer.from(shared.subarray(0, bytes));
  if (slabUsed + bytes > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  const piece = slab.subarray(slabUsed, slabUsed + bytes);
  shared.copy(piece, 0, 0, bytes);
  slabUsed += bytes;
  return piece;
}

function arrived(this: Socket, bytes: number): boolean {
  this.emit("data", copyOut(bytes));
  return true;
}

const ON_READ = { buffer: shared, callback: arrived };

/** How accepted sockets are set up; the server's own options apply to none of them. */
export interface SharedReadOptions {
  /** Silence after which TCP looks whether the other side is still there; 0 for never. */
  readonly tcpKeepAliveS: number;
  accept(socket: Socket): void;
}

/**
 * Has `server`, which listens, hand its connections to `accept`, as half-open sockets without delay that read
 * cheaply. Their `data` events are the usual ones.
 * @returns false when Node is not as expected: `connection` events go on.
 */
export function acceptWithSharedRead(server: Server, options: SharedReadOptions): boolean {
  const parts = server as unknown as ServerParts;
  const { _handle: handle } = parts;
  const usual = handle?.onconnection;
  if (handle === null || typeof usual !== "function" || typeof parts._connections !== "number") return false;
  const { tcpKeepAliveS, accept } = options;
  const isInherited = bequeath(handle, tcpKeepAliveS);
  handle.onconnection = (status, accepted) => {
    if (status !== 0 || accepted === undefined) {
      usual.call(handle, status, accepted);
      return;
    }
    const socket = sharedReader(accepted);
    if (!isInherited) {
      socket.setNoDelay(true);
      if (tcpKeepAliveS > 0) socket.setKeepAlive(true, tcpKeepAliveS * 1000);
    }
    parts._connections += 1;
    (socket as unknown as SocketParts)._server = server;
    accept(socket);
  };
  return true;
}

/** On Linux accepted sockets have the options of the one that listens: five system calls less for each. */
function bequeath(handle: ListeningHandle, tcpKeepAliveS: number): boolean {
  if (platform() !== "linux") return false;
  handle.setNoDelay?.(true);
  if (tcpKeepAliveS > 0) handle.setKeepAlive?.(true, tcpKeepAliveS);
  return true;
}

/** Not in flowing mode, which is for streams that buffer: what is read goes to the `data` listener at once. */
function sharedReader(handle: object): Socket {
  const socket = new Socket({
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    onread: ON_READ,
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  // Starts to read; nothing comes before the next turn of the event loop.
  socket.read(0);
  return socket;
}

import { Socket } from "node:net";

/**
 * Node allocates 64 KiB for every read of an accepted socket and gives most of it back: on small messages that is
 * the largest part of what a read costs, in time and in garbage. The `onread` option of `net.Socket` reads into one
 * buffer instead, but `net.Server` does not offer it for the sockets it accepts, so the connection is moved into a
 * socket that has it. That needs two fields of Node's own; where they are not as expected the accepted socket is
 * used as it is, only slower.
 */
interface SocketParts {
  _handle: object | null;
  _server: object | null;
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

/**
 * The connection of `accepted`, which must not have been read from, as a socket that reads cheaply. Its `data`
 * events are the usual ones.
 */
export function withSharedRead(accepted: Socket): Socket {
  const parts = accepted as unknown as SocketParts;
  const { _handle: handle, _server: server } = parts;
  if (!isObject(handle) || !isObject(server)) return accepted.resume();
  parts._handle = null;
  parts._server = null;
  const socket = new Socket({
    handle,
    allowHalfOpen: true,
    onread: ON_READ,
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  (socket as unknown as SocketParts)._server = server;
  return socket;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** What is seen of a TLS connection from outside. */
export interface TapObserver {
  /** Bytes of the device, as they come. */
  incoming(bytes: Uint8Array): void;
  /** A record of application data left, with so many bytes behind its header. */
  applicationRecord(bytes: number): void;
  closed(): void;
}

const HEADER_BYTES = 5;
const APPLICATION_DATA = 23;

/** Finds the records in a stream of TLS [RFC 8446 §5.1], however it is cut. */
export class RecordScanner {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private have = 0;
  private left = 0;

  constructor(private readonly found: (type: number, bytes: number) => void) {}

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.left > 0) {
        const step = Math.min(this.left, bytes.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      this.header[this.have] = bytes[at]!;
      this.have += 1;
      at += 1;
      if (this.have < HEADER_BYTES) continue;
      this.have = 0;
      this.left = this.header.readUInt16BE(3);
      this.found(this.header[0]!, this.left);
    }
  }
}

/** A socket in whose TLS records one can read along: TLS runs on it as on the socket itself. */
export class RecordTap extends Duplex {
  private readonly outgoing: RecordScanner;

  constructor(
    private readonly socket: Socket,
    observer: TapObserver,
  ) {
    super();
    this.outgoing = new RecordScanner((type, bytes) => {
      if (type === APPLICATION_DATA) observer.applicationRecord(bytes);
    });
    socket.on("data", (chunk: Buffer) => {
      observer.incoming(chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => {
      observer.closed();
      this.destroy();
    });
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.outgoing.push(chunk);
    this.socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}

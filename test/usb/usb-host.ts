import {
  encodeImportRequest,
  IMPORT_REPLY_BYTES,
  type SetupPacket,
} from "../../hil/virtual/usbip/usbip-messages.js";
import { UsbipSession } from "../../hil/virtual/usbip/usbip-session.js";
import type { UsbSerialDevice } from "../../hil/virtual/usbip/usb-serial-device.js";

/** The kernel's side of a connection, without a kernel. */
export class UsbHost {
  readonly replies: UrbReply[] = [];
  private isImported = false;
  private sequence = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private readonly reads = new Set<number>();

  constructor(
    private readonly send: (bytes: Uint8Array) => void,
    private readonly replied: (reply: UrbReply) => void = () => undefined,
  ) {}

  import(busId: string): void {
    this.send(encodeImportRequest(busId));
  }

  /** A control request. `length` is that of the answer; with data it goes out. @returns its sequence number */
  control(
    requestType: number,
    request: number,
    value = 0,
    rest: { index?: number; data?: Uint8Array; length?: number } = {},
  ): number {
    const { index = 0, data = new Uint8Array(), length = 0 } = rest;
    const isIn = (requestType & 0x80) !== 0;
    const setup = { requestType, request, value, index, lengthBytes: isIn ? length : data.length };
    return this.submit({ isIn, endpoint: 0, lengthBytes: isIn ? length : data.length, setup, data });
  }

  read(endpoint: number, lengthBytes = 512): number {
    return this.submit({ isIn: true, endpoint, lengthBytes });
  }

  write(endpoint: number, data: Uint8Array): number {
    return this.submit({ isIn: false, endpoint, lengthBytes: data.length, data });
  }

  unlink(unlinks: number): number {
    this.sequence += 1;
    this.send(encodeUnlink(this.sequence, unlinks));
    return this.sequence;
  }

  /** What became of a request. */
  reply(sequence: number): UrbReply | undefined {
    return this.replies.find((reply) => reply.sequence === sequence);
  }

  /** What came from the device's side. */
  take(bytes: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    if (!this.isImported) {
      if (this.bytes.length < IMPORT_REPLY_BYTES) return;
      this.isImported = true;
      this.bytes = this.bytes.subarray(IMPORT_REPLY_BYTES);
    }
    for (;;) {
      const reply = decodeUrbReply(this.bytes, (sequence) => this.reads.has(sequence));
      if (reply === undefined) return;
      this.bytes = this.bytes.subarray(reply.wireBytes);
      this.replies.push(reply);
      this.replied(reply);
    }
  }

  private submit(urb: Omit<Urb, "sequence">): number {
    this.sequence += 1;
    if (urb.isIn) this.reads.add(this.sequence);
    this.send(encodeSubmit({ ...urb, sequence: this.sequence }));
    return this.sequence;
  }
}

/** A host and a session that hand each other their bytes. */
export class UsbHostRig extends UsbHost {
  isFinished = false;
  readonly session: UsbipSession;

  constructor(devices: readonly UsbSerialDevice[]) {
    super((bytes) => this.session.push(bytes));
    this.session = new UsbipSession({
      devices: () => devices,
      send: (bytes) => this.take(bytes),
      finish: () => (this.isFinished = true),
    });
  }

  attach(busId: string): this {
    this.import(busId);
    return this;
  }
}

export interface UrbReply {
  readonly kind: "submit" | "unlink";
  readonly sequence: number;
  readonly status: number;
  readonly actualBytes: number;
  readonly data: Uint8Array;
}

interface Urb {
  readonly sequence: number;
  readonly isIn: boolean;
  readonly endpoint: number;
  readonly lengthBytes: number;
  readonly setup?: SetupPacket;
  readonly data?: Uint8Array;
}

const HEADER_BYTES = 48;

/** As the kernel writes it, written down a second time: the codec under test reads it. */
export function encodeSubmit({ sequence, isIn, endpoint, lengthBytes, setup, data }: Urb): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  [1, sequence, 0x10001, isIn ? 1 : 0, endpoint, 0, lengthBytes].forEach((word, at) =>
    header.writeUInt32BE(word, 4 * at),
  );
  if (setup !== undefined) {
    header.writeUInt8(setup.requestType, 40);
    header.writeUInt8(setup.request, 41);
    [setup.value, setup.index, setup.lengthBytes].forEach((word, at) =>
      header.writeUInt16LE(word, 42 + 2 * at),
    );
  }
  return Buffer.concat([header, isIn ? new Uint8Array() : (data ?? new Uint8Array())]);
}

export function encodeUnlink(sequence: number, unlinks: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  [2, sequence, 0x10001, 0, 0, unlinks].forEach((word, at) => header.writeUInt32BE(word, 4 * at));
  return header;
}

/** @returns the first answer and its length, when it is whole */
function decodeUrbReply(
  bytes: Buffer,
  isRead: (sequence: number) => boolean,
): (UrbReply & { wireBytes: number }) | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const kind = bytes.readUInt32BE(0) === 3 ? "submit" : "unlink";
  const sequence = bytes.readUInt32BE(4);
  const status = bytes.readInt32BE(20);
  const actualBytes = kind === "submit" ? bytes.readUInt32BE(24) : 0;
  const wireBytes = HEADER_BYTES + (kind === "submit" && isRead(sequence) ? actualBytes : 0);
  if (bytes.length < wireBytes) return undefined;
  return { kind, sequence, status, actualBytes, data: bytes.subarray(HEADER_BYTES, wireBytes), wireBytes };
}

/**
 * Messages of USB/IP 1.1.1, as the kernel documents them in Documentation/usb/usbip_protocol.rst. A connection begins with *operations*: the list of
 * devices, or the import of one. After an import it carries *URBs*, the requests of the host's USB stack: submitted, or unlinked again.
 * All numbers are big-endian; the setup packet inside is USB's own and little-endian.
 */
const USBIP_VERSION = 0x0111;

const OPERATION = {
  listRequest: 0x8005,
  listReply: 0x0005,
  importRequest: 0x8003,
  importReply: 0x0003,
} as const;
const URB = { submit: 1, unlink: 2, submitReply: 3, unlinkReply: 4 } as const;

const OPERATION_BYTES = 8;
const BUS_ID_BYTES = 32;
const PATH_BYTES = 256;
const DEVICE_BYTES = 312;
const URB_HEADER_BYTES = 48;
/** What a driver for serial ports sends at once is far below. */
export const MAX_TRANSFER_BYTES = 65_536;
/** As old and new kernels write "no packets": a request that is not isochronous. */
const NO_PACKETS = new Set([0, 0xffff_ffff]);

/** Results of a request, as Linux numbers them. */
export const URB_STATUS = { ok: 0, stall: -32, noDevice: -19, unlinked: -104, overflow: -75 } as const;
type UrbStatus = (typeof URB_STATUS)[keyof typeof URB_STATUS];

/** [USB 2.0 §9.3] */
export interface SetupPacket {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly lengthBytes: number;
}

export interface SubmittedUrb {
  readonly kind: "submit";
  readonly sequence: number;
  readonly deviceId: number;
  readonly isIn: boolean;
  readonly endpoint: number;
  /** How much may come in, or comes here. */
  readonly lengthBytes: number;
  readonly setup: SetupPacket;
  /** To the device. */
  readonly data: Uint8Array;
}

interface UnlinkedUrb {
  readonly kind: "unlink";
  readonly sequence: number;
  /** Of the request that is not wanted any more. */
  readonly unlinks: number;
}

export type UsbipRequest =
  | { readonly kind: "list" }
  | { readonly kind: "import"; readonly busId: string }
  | SubmittedUrb
  | UnlinkedUrb;

/** A device as lists and imports show it. */
export interface DeviceSummary {
  readonly busId: string;
  readonly busNumber: number;
  readonly deviceNumber: number;
  readonly vendorId: number;
  readonly productId: number;
  /** Version of the device, as USB writes it. */
  readonly release: number;
  /** Class, subclass and protocol. */
  readonly deviceClass: readonly [number, number, number];
  readonly configuration: number;
  readonly interfaces: readonly (readonly [number, number, number])[];
}

/** Full speed, 12 Mbit/s: what the adapters on boards have. */
const FULL_SPEED = 2;

/** Why a connection cannot be understood any further. */
export type UsbipViolation = "version" | "operation" | "command" | "length" | "isochronous" | "direction";

/**
 * Takes a connection's bytes apart. What is broken ends it: there is nothing in the stream by which its place could be found again.
 */
export class UsbipDecoder {
  violation: UsbipViolation | undefined;
  private pending: Buffer = Buffer.alloc(0);
  private isImported = false;

  constructor(private readonly received: (request: UsbipRequest) => void) {}

  /** From now on the connection carries URBs. */
  imported(): void {
    this.isImported = true;
  }

  push(bytes: Uint8Array): void {
    if (this.violation !== undefined) return;
    this.pending = this.pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.pending, bytes]);
    for (let used = this.next(); used > 0; used = this.next()) this.pending = this.pending.subarray(used);
  }

  /** @returns bytes of the message that was there; 0 when more has to come first */
  private next(): number {
    if (this.violation !== undefined) return 0;
    return this.isImported ? this.urb() : this.operation();
  }

  private operation(): number {
    const { pending } = this;
    if (pending.length < OPERATION_BYTES) return 0;
    if (pending.readUInt16BE(0) !== USBIP_VERSION) return this.violated("version");
    const code = pending.readUInt16BE(2);
    if (code === OPERATION.listRequest) {
      this.received({ kind: "list" });
      return OPERATION_BYTES;
    }
    if (code !== OPERATION.importRequest) return this.violated("operation");
    const end = OPERATION_BYTES + BUS_ID_BYTES;
    if (pending.length < end) return 0;
    this.received({ kind: "import", busId: textOf(pending.subarray(OPERATION_BYTES, end)) });
    return end;
  }

  private urb(): number {
    const { pending } = this;
    if (pending.length < URB_HEADER_BYTES) return 0;
    const command = pending.readUInt32BE(0);
    const sequence = pending.readUInt32BE(4);
    if (command === URB.unlink) {
      this.received({ kind: "unlink", sequence, unlinks: pending.readUInt32BE(20) });
      return URB_HEADER_BYTES;
    }
    if (command !== URB.submit) return this.violated("command");
    const direction = pending.readUInt32BE(12);
    const endpoint = pending.readUInt32BE(16);
    if (direction > 1 || endpoint > 15) return this.violated("direction");
    const lengthBytes = pending.readUInt32BE(24);
    if (lengthBytes > MAX_TRANSFER_BYTES) return this.violated("length");
    if (!NO_PACKETS.has(pending.readUInt32BE(32))) return this.violated("isochronous");
    const isIn = direction === 1;
    const end = URB_HEADER_BYTES + (isIn ? 0 : lengthBytes);
    if (pending.length < end) return 0;
    this.received({
      kind: "submit",
      sequence,
      deviceId: pending.readUInt32BE(8),
      isIn,
      endpoint,
      lengthBytes,
      setup: setupOf(pending.subarray(40, 48)),
      data: new Uint8Array(pending.subarray(URB_HEADER_BYTES, end)),
    });
    return end;
  }

  private violated(violation: UsbipViolation): 0 {
    this.violation = violation;
    this.pending = Buffer.alloc(0);
    return 0;
  }
}

const setupOf = (bytes: Buffer): SetupPacket => ({
  requestType: bytes[0]!,
  request: bytes[1]!,
  value: bytes.readUInt16LE(2),
  index: bytes.readUInt16LE(4),
  lengthBytes: bytes.readUInt16LE(6),
});

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
}

function operation(code: number, isRefused: boolean): Buffer {
  const bytes = Buffer.alloc(OPERATION_BYTES);
  bytes.writeUInt16BE(USBIP_VERSION, 0);
  bytes.writeUInt16BE(code, 2);
  bytes.writeUInt32BE(isRefused ? 1 : 0, 4);
  return bytes;
}

function deviceBytes(device: DeviceSummary): Buffer {
  const bytes = Buffer.alloc(DEVICE_BYTES);
  bytes.write(`/sys/devices/fleetrig/${device.busId}`.slice(0, PATH_BYTES - 1), 0, "latin1");
  bytes.write(device.busId.slice(0, BUS_ID_BYTES - 1), PATH_BYTES, "latin1");
  let at = PATH_BYTES + BUS_ID_BYTES;
  for (const number of [device.busNumber, device.deviceNumber, FULL_SPEED])
    at = bytes.writeUInt32BE(number, at);
  for (const number of [device.vendorId, device.productId, device.release])
    at = bytes.writeUInt16BE(number, at);
  for (const number of [...device.deviceClass, device.configuration, 1, device.interfaces.length])
    at = bytes.writeUInt8(number, at);
  return bytes;
}

/** The answer to `list`. */
export function encodeDeviceList(devices: readonly DeviceSummary[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(devices.length, 0);
  const entries = devices.flatMap((device) => [
    deviceBytes(device),
    ...device.interfaces.map((triple) => Buffer.from([...triple, 0])),
  ]);
  return Buffer.concat([operation(OPERATION.listReply, false), count, ...entries]);
}

/** The answer to `import`; without a device it is refused. */
export const encodeImport = (device: DeviceSummary | undefined): Buffer =>
  device === undefined
    ? operation(OPERATION.importReply, true)
    : Buffer.concat([operation(OPERATION.importReply, false), deviceBytes(device)]);

function urbHeader(command: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(URB_HEADER_BYTES);
  bytes.writeUInt32BE(command, 0);
  bytes.writeUInt32BE(sequence, 4);
  return bytes;
}

/** How a request ended. */
export interface UrbResult {
  readonly sequence: number;
  readonly status: UrbStatus;
  /** Bytes that went, in either direction. */
  readonly actualBytes: number;
  /** From the device. */
  readonly data?: Uint8Array;
}

export function encodeUrbResult({ sequence, status, actualBytes, data }: UrbResult): Buffer {
  const header = urbHeader(URB.submitReply, sequence);
  header.writeInt32BE(status, 20);
  header.writeUInt32BE(actualBytes, 24);
  return data === undefined ? header : Buffer.concat([header, data]);
}

/** @param isUnlinked False when the request had been answered already. */
export function encodeUnlinkResult(sequence: number, isUnlinked: boolean): Buffer {
  const header = urbHeader(URB.unlinkReply, sequence);
  header.writeInt32BE(isUnlinked ? URB_STATUS.unlinked : 0, 20);
  return header;
}

export const encodeListRequest = (): Buffer => operation(OPERATION.listRequest, false);

export function encodeImportRequest(busId: string): Buffer {
  const name = Buffer.alloc(BUS_ID_BYTES);
  name.write(busId.slice(0, BUS_ID_BYTES - 1), 0, "latin1");
  return Buffer.concat([operation(OPERATION.importRequest, false), name]);
}

/** The answer to `import`, on the side of the host. @returns undefined when more has to come; `isRefused` ends it */
export function decodeImport(
  bytes: Buffer,
):
  | { readonly isRefused: true }
  | { readonly isRefused: false; readonly deviceId: number; readonly speed: number }
  | undefined {
  if (bytes.length < OPERATION_BYTES) return undefined;
  const isReply = bytes.readUInt16BE(0) === USBIP_VERSION && bytes.readUInt16BE(2) === OPERATION.importReply;
  if (!isReply || bytes.readUInt32BE(4) !== 0) return { isRefused: true };
  if (bytes.length < OPERATION_BYTES + DEVICE_BYTES) return undefined;
  const at = OPERATION_BYTES + PATH_BYTES + BUS_ID_BYTES;
  const deviceId = bytes.readUInt32BE(at) * 65_536 + bytes.readUInt32BE(at + 4);
  return { isRefused: false, deviceId, speed: bytes.readUInt32BE(at + 8) };
}

/** Bytes of a whole answer to `import`; nothing may be read behind it before the kernel has the connection. */
export const IMPORT_REPLY_BYTES = OPERATION_BYTES + DEVICE_BYTES;

/** Bus ids of the answer to `list`. @returns undefined when more has to come */
export function decodeDeviceList(bytes: Buffer): readonly string[] | undefined {
  if (bytes.length < OPERATION_BYTES + 4) return undefined;
  const count = bytes.readUInt32BE(OPERATION_BYTES);
  const busIds: string[] = [];
  let at = OPERATION_BYTES + 4;
  for (let index = 0; index < count; index += 1) {
    if (bytes.length < at + DEVICE_BYTES) return undefined;
    busIds.push(textOf(bytes.subarray(at + PATH_BYTES, at + PATH_BYTES + BUS_ID_BYTES)));
    at += DEVICE_BYTES + 4 * bytes[at + DEVICE_BYTES - 1]!;
  }
  return bytes.length < at ? undefined : busIds;
}

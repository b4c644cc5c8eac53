/**
 * Telnet (RFC 854) as far as serial servers use it, and the COM-PORT option (RFC 2217). *Commands* are IAC and a verb with an option; a
 * *subnegotiation* is what stands between IAC SB and IAC SE; everything else is data, in which IAC is written twice.
 */
export const TELNET = {
  se: 240,
  nop: 241,
  sb: 250,
  will: 251,
  wont: 252,
  do: 253,
  dont: 254,
  iac: 255,
} as const;

export const OPTION = { binary: 0, echo: 1, suppressGoAhead: 3, comPort: 44 } as const;

/** Client to server; the server's answers are 100 higher. */
export const COM_PORT = {
  signature: 0,
  baud: 1,
  dataSize: 2,
  parity: 3,
  stopSize: 4,
  control: 5,
  lineStateMask: 10,
  modemStateMask: 11,
  purge: 12,
} as const;
export const COM_PORT_ANSWER = 100;

/** Values of `COM_PORT.control`. */
export const CONTROL = {
  askFlow: 0,
  noFlow: 1,
  askDtr: 7,
  dtrOn: 8,
  dtrOff: 9,
  askRts: 10,
  rtsOn: 11,
  rtsOff: 12,
} as const;

/** Longest subnegotiation that is read; the option's own are a handful of bytes. */
const MAX_SUBNEGOTIATION = 256;

export interface TelnetHandler {
  data(bytes: Uint8Array): void;
  /** @param verb will, wont, do or dont */
  command(verb: number, option: number): void;
  /** @param bytes Unescaped, the option first. */
  subnegotiation(bytes: Uint8Array): void;
}

type State = "data" | "iac" | "option" | "sub" | "sub-iac";

/** Takes a stream apart, in pieces of any size. */
export class TelnetReader {
  private state: State = "data";
  private verb = 0;
  private sub: number[] = [];
  private isSubTooLong = false;
  /** Subnegotiations that were thrown away for their length. */
  oversized = 0;

  constructor(private readonly handler: TelnetHandler) {}

  push(chunk: Uint8Array): void {
    let plainFrom = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (this.state === "data") {
        if (byte !== TELNET.iac) continue;
        if (at > plainFrom) this.handler.data(chunk.subarray(plainFrom, at));
        this.state = "iac";
      } else {
        // An escaped IAC is the first byte of the data that follows it.
        plainFrom = this.step(byte) ? at : at + 1;
      }
    }
    if (this.state === "data" && chunk.length > plainFrom) this.handler.data(chunk.subarray(plainFrom));
  }

  /** @returns whether the byte is data */
  private step(byte: number): boolean {
    if (this.state === "iac") return this.afterIac(byte);
    if (this.state === "option") {
      this.state = "data";
      this.handler.command(this.verb, byte);
    } else if (this.state === "sub") {
      if (byte === TELNET.iac) this.state = "sub-iac";
      else this.keep(byte);
    } else this.afterSubIac(byte);
    return false;
  }

  private afterIac(byte: number): boolean {
    this.state = "data";
    if (byte === TELNET.iac) return true;
    if (byte === TELNET.sb) this.beginSub();
    else if (byte >= TELNET.will && byte <= TELNET.dont) {
      this.verb = byte;
      this.state = "option";
    }
    return false;
  }

  private beginSub(): void {
    this.sub = [];
    this.isSubTooLong = false;
    this.state = "sub";
  }

  private keep(byte: number): void {
    if (this.sub.length < MAX_SUBNEGOTIATION) this.sub.push(byte);
    else this.isSubTooLong = true;
  }

  private afterSubIac(byte: number): void {
    if (byte === TELNET.iac) {
      this.keep(byte);
      this.state = "sub";
      return;
    }
    this.state = "data";
    if (this.isSubTooLong) this.oversized += 1;
    else if (byte === TELNET.se && this.sub.length > 0)
      this.handler.subnegotiation(Uint8Array.from(this.sub));
  }
}

/** Data as it travels: every IAC twice. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (byte === TELNET.iac) count += 1;
  if (count === 0) return bytes;
  const escaped = new Uint8Array(bytes.length + count);
  let at = 0;
  for (const byte of bytes) {
    escaped[at++] = byte;
    if (byte === TELNET.iac) escaped[at++] = byte;
  }
  return escaped;
}

export const telnetCommand = (verb: number, option: number): Uint8Array =>
  Uint8Array.of(TELNET.iac, verb, option);

export function comPortMessage(command: number, value: Uint8Array): Uint8Array {
  const body = escapeIac(Uint8Array.of(OPTION.comPort, command, ...value));
  return Uint8Array.of(TELNET.iac, TELNET.sb, ...body, TELNET.iac, TELNET.se);
}

export function bigEndian32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @returns undefined when there are not four bytes */
export const readBigEndian32 = (bytes: Uint8Array): number | undefined =>
  bytes.length < 4 ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

/**
 * SLIP framing (RFC 1055) as Espressif's boot loaders speak it: a frame is between two END bytes, so two frames in a row have two of them.
 * What stands before the first END is noise of the line, such as the ROM's own text.
 */
const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;

/** Larger than any frame of the protocol: a block of 16 KiB, its header, and nothing else. */
const FRAME_LIMIT_BYTES = 0x4000 + 256;

export function encodeSlip(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 * payload.length + 2);
  let length = 0;
  frame[length++] = END;
  for (const byte of payload) {
    if (byte === END || byte === ESCAPE) {
      frame[length++] = ESCAPE;
      frame[length++] = byte === END ? ESCAPED_END : ESCAPED_ESCAPE;
    } else frame[length++] = byte;
  }
  frame[length++] = END;
  return frame.subarray(0, length);
}

/** Takes bytes as they come and tells of whole frames. Nothing that comes in makes it fail: broken frames are counted and dropped. */
export class SlipDecoder {
  /** Frames dropped: a bad escape, or too long. */
  broken = 0;
  private readonly buffer = new Uint8Array(FRAME_LIMIT_BYTES);
  private length = 0;
  private state: "outside" | "inside" | "escape" | "broken" = "outside";

  /**
   * @param frame Called for each frame that is not empty; may keep the bytes.
   * @param noise Called for each byte outside frames.
   */
  constructor(
    private readonly frame: (payload: Uint8Array) => void,
    private readonly noise: (byte: number) => void = () => {},
  ) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.take(byte);
  }

  /** Forgets the frame that is coming in. */
  reset(): void {
    this.length = 0;
    this.state = "outside";
  }

  private take(byte: number): void {
    if (byte === END) this.end();
    else if (this.state === "outside") this.noise(byte);
    else if (this.state === "escape") this.unescape(byte);
    else if (this.state === "inside") {
      if (byte === ESCAPE) this.state = "escape";
      else this.append(byte);
    }
  }

  private end(): void {
    const isWhole = this.state === "inside" && this.length > 0;
    const isBroken = this.state === "broken" || this.state === "escape";
    if (isBroken) this.broken += 1;
    const payload = isWhole ? this.buffer.slice(0, this.length) : undefined;
    this.length = 0;
    // The END of a broken or empty frame may as well begin the next one.
    this.state = isWhole ? "outside" : "inside";
    if (payload !== undefined) this.frame(payload);
  }

  private unescape(byte: number): void {
    this.state = "inside";
    if (byte === ESCAPED_END) this.append(END);
    else if (byte === ESCAPED_ESCAPE) this.append(ESCAPE);
    else this.state = "broken";
  }

  private append(byte: number): void {
    if (this.length === this.buffer.length) this.state = "broken";
    else this.buffer[this.length++] = byte;
  }
}

import type { IncomingMessage } from "node:http";
import type { FleetrigError } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";

/** All bodies together that are being received or dealt with. */
const MAX_HELD_BYTES = 64 * 1_048_576;

/** A body, complete; or why there is none. `gone`: the client has left. */
export type BodyReading = { readonly body: Uint8Array } | { readonly refusal: FleetrigError } | "gone";

const NOTHING = { body: new Uint8Array(0) };

/** Receives bodies whole, within their limits, before anybody looks into them. */
export class BodyReader {
  private heldBytes = 0;

  /** @param done Called once. The bytes count as held until `release`. */
  read(request: IncomingMessage, limitBytes: number, done: (reading: BodyReading) => void): void {
    const { headers } = request;
    const announced = Number(headers["content-length"] ?? 0);
    if (announced === 0 && headers["transfer-encoding"] === undefined) {
      done(NOTHING);
      return;
    }
    if (announced > limitBytes) {
      done({ refusal: tooLarge(limitBytes) });
      return;
    }
    new BodyReception({ request, limitBytes, reader: this, done }).begin();
  }

  /** @returns false when there is no room for more. */
  hold(bytes: number): boolean {
    if (this.heldBytes + bytes > MAX_HELD_BYTES) return false;
    this.heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
  }
}

const tooLarge = (limitBytes: number): FleetrigError =>
  cloudError("RequestEntityTooLargeException", `The body is larger than ${limitBytes} bytes.`);

interface Reception {
  readonly request: IncomingMessage;
  readonly limitBytes: number;
  readonly reader: BodyReader;
  readonly done: (reading: BodyReading) => void;
}

/** One body on its way. */
class BodyReception {
  private readonly parts: Buffer[] = [];
  private bytes = 0;
  private isOver = false;

  constructor(private readonly reception: Reception) {}

  begin(): void {
    const { request } = this.reception;
    request.on("data", (part: Buffer) => this.take(part));
    request.once("end", () =>
      this.end({ body: this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts) }),
    );
    request.once("close", () => this.end("gone"));
    request.once("error", () => this.end("gone"));
  }

  private take(part: Buffer): void {
    if (this.isOver) return;
    const { limitBytes, reader } = this.reception;
    if (this.bytes + part.length > limitBytes) {
      this.end({ refusal: tooLarge(limitBytes) });
    } else if (reader.hold(part.length)) {
      this.bytes += part.length;
      this.parts.push(part);
    } else {
      this.end({
        refusal: cloudError("ServiceUnavailableException", "Too many large requests are being dealt with."),
      });
    }
  }

  private end(reading: BodyReading): void {
    if (this.isOver) return;
    this.isOver = true;
    const { request, reader, done } = this.reception;
    if (reading === "gone" || "refusal" in reading) {
      request.pause();
      reader.release(this.bytes);
    }
    done(reading);
  }
}

import { type Clock, FleetrigError, type Timer } from "fleetrig/kernel";
import type { PortEnd, PortReceiver } from "../port/port.js";

/** Most that is kept for a reader; a board that says more in one answer is cut off. */
const HELD_BYTES = 2 ** 20;

/** Reads a port piece by piece: so many bytes, or up to a mark. One reader at a time. */
export class LineReader implements PortReceiver {
  private held: Buffer = Buffer.alloc(0);
  private end: PortEnd | undefined;
  private waiting:
    | { readonly look: () => boolean; readonly fail: (error: FleetrigError) => void }
    | undefined;

  constructor(private readonly clock: Clock) {}

  received(bytes: Uint8Array): void {
    this.held = Buffer.concat([this.held, bytes]);
    if (this.held.length > HELD_BYTES) this.held = this.held.subarray(this.held.length - HELD_BYTES);
    this.waiting?.look();
  }

  closed(reason: PortEnd): void {
    this.end = reason;
    this.waiting?.fail(this.lost());
  }

  /** What has come and was not read. */
  get text(): string {
    return this.held.toString("latin1");
  }

  forget(): void {
    this.held = Buffer.alloc(0);
  }

  /** @throws FleetrigError FLASH_LINE_LOST, BOARD_NO_ANSWER */
  take(count: number, timeoutUs: number): Promise<Buffer> {
    return this.wait(timeoutUs, () => (this.held.length < count ? undefined : count));
  }

  /** Everything up to the mark and the mark itself. @throws FleetrigError FLASH_LINE_LOST, BOARD_NO_ANSWER */
  until(mark: string, timeoutUs: number): Promise<Buffer> {
    const bytes = Buffer.from(mark, "latin1");
    return this.wait(timeoutUs, () => {
      const at = this.held.indexOf(bytes);
      return at < 0 ? undefined : at + bytes.length;
    });
  }

  private wait(timeoutUs: number, ready: () => number | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const settle = (): void => {
        timer?.cancel();
        this.waiting = undefined;
      };
      const look = (): boolean => {
        const count = ready();
        if (count === undefined) return false;
        settle();
        const taken = this.held.subarray(0, count);
        this.held = this.held.subarray(count);
        resolve(taken);
        return true;
      };
      const fail = (error: FleetrigError): void => {
        settle();
        reject(error);
      };
      if (look()) return;
      if (this.end !== undefined) {
        fail(this.lost());
        return;
      }
      this.waiting = { look, fail };
      timer = this.clock.after(timeoutUs, () => fail(this.silent(timeoutUs)));
    });
  }

  private lost(): FleetrigError {
    return new FleetrigError("FLASH_LINE_LOST", "The board's port went away during the work.", {
      hint: "Plug it in again and repeat.",
      context: { reason: this.end },
    });
  }

  private silent(timeoutUs: number): FleetrigError {
    return new FleetrigError("BOARD_NO_ANSWER", `The board did not answer within ${timeoutUs / 1000} ms.`, {
      hint: "Its last words are in the context.",
      context: { last: this.text.slice(-200) },
    });
  }
}

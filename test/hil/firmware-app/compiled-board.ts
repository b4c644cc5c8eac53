import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock, JsonObject, Timer } from "fleetrig/kernel";
import { onTestFinished } from "vitest";
import type { BoardListener, CommandAnswer, MemberBoard } from "../../../hil/bridge/member-board.js";
import { build, NativeProgram } from "./native.js";

const MS = 1_000;
/** From a restart until the bench has a session again. */
const BOOT_US = 50 * MS;
const NEVER = 2n ** 63n;
const HEADER_BYTES = 128;
/** Of the tunnel's bytes in one line to the program. */
const PIECE_BYTES = 16_384;

/** A firmware image as boot.h describes it. */
export function firmwareImage(version: string, bytes = 8_192): Buffer {
  const image = Buffer.alloc(bytes, version);
  image.fill(0, 0, HEADER_BYTES);
  image.writeUInt32LE(0x31475246, 0);
  image.writeUInt32LE(bytes, 4);
  image.writeUInt32LE(crc32(image.subarray(HEADER_BYTES)), 8);
  image.write(version, 16);
  image.writeUInt32LE(crc32(image.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
  return image;
}

/**
 * A board whose device logic is the firmware's own, compiled with the sanitizers, and whose machine stands still between the
 * instants of virtual time at which something happens. The link is perfect and takes no time.
 */
export class CompiledBoard implements MemberBoard {
  readonly controls = {} as MemberBoard["controls"];
  readonly givenUp: string[] = [];
  readonly logs: string[] = [];
  readonly restarts: string[] = [];
  readonly events: JsonObject[] = [];
  readonly pendingBytes = 0;
  /** Does not open the session again after a restart. */
  isUnattended = false;
  private readonly program: NativeProgram;
  private readonly answers = new Map<number, ((answer: CommandAnswer) => void) | undefined>();
  private readonly lines: string[] = [];
  private listener: BoardListener | undefined;
  private bootUs = 0;
  private commands = 0;
  private isBusy = false;
  private isUp = false;
  private hello: JsonObject = {};
  private timer: Timer | undefined;

  constructor(private readonly clock: Clock) {
    const folder = mkdtempSync(join(tmpdir(), "fleetrig-machine-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const image = join(folder, "image");
    writeFileSync(image, firmwareImage("1.0.0"));
    this.program = new NativeProgram(build("machine"), [join(folder, "flash"), image]);
    this.bootUs = clock.nowUs();
    this.readReply();
  }

  listen(listener: BoardListener): void {
    this.listener = listener;
    this.attach(true);
  }

  command(op: string, args: JsonObject, answered?: (answer: CommandAnswer) => void): void {
    this.commands += 1;
    this.answers.set(this.commands, answered);
    this.send(`C${JSON.stringify({ id: this.commands, op, args })}`);
  }

  toHostUs(boardUs: number): number {
    return boardUs + this.bootUs;
  }

  toBoardUs(hostUs: number): number {
    return hostUs - this.bootUs;
  }

  setFault(): boolean {
    return false;
  }

  giveUp(reason: string): void {
    this.givenUp.push(reason);
  }

  sendNetwork(message: JsonObject): void {
    this.send(`C${JSON.stringify(message)}`);
  }

  sendNetworkData(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      this.send(`N${Buffer.from(bytes.subarray(at, at + PIECE_BYTES)).toString("hex")}`);
  }

  /** Power fails, now or after so many more bytes of flash were written. */
  cutPower(afterBytes?: number): void {
    this.send(afterBytes === undefined ? "K" : `B${afterBytes}`);
  }

  close(): void {
    this.timer?.cancel();
    this.listener = undefined;
    this.program.close();
  }

  /** The bench takes nothing in any more, until the board restarts. */
  stall(): void {
    this.send("R0");
  }

  /** Every server that the board connects to accepts it, and sends so many bytes at once. */
  flood(bytes: number): void {
    this.send(`F${bytes}`);
  }

  /** EN goes low. */
  reset(): void {
    this.send("Z");
  }

  /** The session ends on the bench's side; the board goes on. */
  detach(): void {
    this.isUp = false;
    this.send("X");
    this.listener?.lost("detached");
  }

  attach(isNewStart: boolean): void {
    this.isUp = true;
    this.send("O");
    const { thing } = this.hello;
    this.listener?.ready(typeof thing === "string" ? thing : undefined, isNewStart);
  }

  /** One thing after the other: what the bench says in answer to the board waits until the board has said all. */
  private send(line: string): void {
    this.lines.push(line);
    if (this.isBusy) return;
    this.isBusy = true;
    for (let next = this.lines.shift(); next !== undefined; next = this.lines.shift()) {
      /* What it is told it is told at an instant: first its time goes on to that. */
      this.program.write(`T${this.clock.nowUs() - this.bootUs}`);
      this.readReply();
      this.program.write(next);
      this.readReply();
    }
    this.isBusy = false;
  }

  private readReply(): void {
    for (let line = this.program.readLine(); ; line = this.program.readLine()) {
      const rest = line.slice(1);
      if (line.startsWith(".")) {
        this.arm(BigInt(rest));
        return;
      }
      this.take(line[0]!, rest);
    }
  }

  private take(kind: string, rest: string): void {
    if (kind === "l") this.logs.push(rest);
    else if (kind === "r") this.restarted(rest);
    else if (kind === "h") this.greeted(rest);
    else if (kind === "n") this.listener?.networkData(Buffer.from(rest, "hex"));
    else this.heard(JSON.parse(rest) as JsonObject);
  }

  private heard(message: JsonObject): void {
    const { id, ok, value, net } = message;
    if (net !== undefined) this.listener?.network(message);
    else if (message["ev"] !== undefined) {
      this.events.push(message);
      this.listener?.event(message);
    } else {
      const answered = this.answers.get(id as number);
      this.answers.delete(id as number);
      const { error, message: text } = message as { readonly error?: string; readonly message?: string };
      answered?.(ok === true ? { ok, value } : { ok: false, error: error ?? "", message: text ?? "" });
    }
  }

  /** @returns why it started. */
  private greeted(rest: string): string {
    const [reason = "", hello = "{}"] = rest.split(" ", 2);
    this.hello = JSON.parse(hello) as JsonObject;
    return reason;
  }

  private restarted(rest: string): void {
    const reason = this.greeted(rest);
    this.bootUs = this.clock.nowUs();
    this.answers.clear();
    if (this.listener === undefined) return;
    this.restarts.push(reason);
    this.isUp = false;
    this.listener.lost("restarted");
    if (!this.isUnattended) this.clock.after(BOOT_US, () => this.isUp || this.attach(true));
  }

  private arm(due: bigint): void {
    this.timer?.cancel();
    if (due >= NEVER) return;
    const delayUs = Number(due) + this.bootUs - this.clock.nowUs();
    this.timer = this.clock.after(Math.max(1, delayUs), () => this.send(""));
  }
}

import {
  type Clock,
  FleetrigError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  type Timer,
  US_PER_S,
} from "fleetrig/kernel";
import type { LinkCounters } from "./link-counters.js";
import { type NetworkMessage, parseNetworkMessage } from "./network-message.js";

/** What a board takes as one message; host's messages are never longer. */
const SENT_MAX_BYTES = 6_144;
const RECEIVED_MAX_BYTES = 65_536;
const MESSAGE_MAX_DEPTH = 32;
const COMMAND_TIMEOUT_US = 5 * US_PER_S;
const COMMANDS_MAX = 256;

export interface ControlOptions {
  readonly clock: Clock;
  readonly counters: LinkCounters;
  /** Sends one whole message; false: there is no session. */
  send(message: Uint8Array): boolean;
  /** Bytes sent that the board has not acknowledged. */
  pendingBytes(): number;
  event(event: JsonObject): void;
  network(message: NetworkMessage): void;
}

interface PendingCommand {
  readonly op: string;
  readonly timer: Timer;
  resolve(value: JsonValue): void;
  reject(error: FleetrigError): void;
}

/** The host's side of channel 0 (PROTOCOL.md §5): commands and their answers, events, what is said about the network. */
export class ControlChannel {
  private readonly pending = new Map<number, PendingCommand>();
  private nextId = 1;
  private parts: Uint8Array[] = [];
  private partsBytes = 0;
  /** In this session. */
  private saidBytes = 0;

  constructor(private readonly options: ControlOptions) {}

  /**
   * @param limitUs For the answer, from now. Default: 5 s from when the board has the command, which a busy line may delay.
   * @returns the answer's value; null when it has none.
   * @throws FleetrigError BOARD_COMMAND_FAILED when the board says so, or it cannot be asked; BOARD_COMMAND_TIMEOUT; BOARD_RESTARTED (rejections)
   */
  command(op: string, args: JsonObject, limitUs?: number): Promise<JsonValue> {
    return new Promise((resolve, reject) => {
      const id = this.nextId;
      this.nextId += 1;
      const problem = this.pending.size >= COMMANDS_MAX ? "too many others wait" : this.say({ id, op, args });
      if (problem !== undefined) {
        reject(commandFailed(op, "unsent", `it could not be sent: ${problem}`));
        return;
      }
      const timeoutUs = limitUs ?? COMMAND_TIMEOUT_US;
      const endByte = this.saidBytes;
      const timer = this.options.clock.after(timeoutUs, () => {
        const isUnderWay = this.saidBytes - this.options.pendingBytes() < endByte;
        if (isUnderWay && limitUs === undefined) return timer.again(timeoutUs);
        this.pending.delete(id);
        reject(
          new FleetrigError(
            "BOARD_COMMAND_TIMEOUT",
            `The board did not answer "${op}" within ${timeoutUs / US_PER_S} s.`,
            { hint: "Its firmware may be busy or stuck; look at its log.", context: { op, timeoutUs } },
          ),
        );
      });
      this.pending.set(id, { op, timer, resolve, reject });
    });
  }

  sendNetwork(message: NetworkMessage): void {
    this.say({ ...message });
  }

  /** A piece of the channel. */
  received(payload: Uint8Array, isEnd: boolean): void {
    this.partsBytes += payload.length;
    if (this.partsBytes <= RECEIVED_MAX_BYTES) this.parts.push(payload);
    if (!isEnd) return;
    const isWhole = this.partsBytes <= RECEIVED_MAX_BYTES;
    const text = Buffer.concat(this.parts).toString("utf8");
    this.forgetParts();
    const json = isWhole ? parseJson(text, MESSAGE_MAX_DEPTH) : undefined;
    if (json?.ok === true && isJsonObject(json.value)) this.take(json.value);
    else this.options.counters.invalid += 1;
  }

  /** The session is over: nobody answers any more. */
  ended(error: (op: string) => FleetrigError): void {
    this.forgetParts();
    this.saidBytes = 0;
    const commands = [...this.pending.values()];
    this.pending.clear();
    for (const command of commands) {
      command.timer.cancel();
      command.reject(error(command.op));
    }
  }

  private forgetParts(): void {
    this.parts = [];
    this.partsBytes = 0;
  }

  /** @returns why not, if not. */
  private say(message: JsonObject): string | undefined {
    const bytes = Buffer.from(JSON.stringify(message), "utf8");
    if (bytes.length > SENT_MAX_BYTES) return `its ${bytes.length} bytes are more than ${SENT_MAX_BYTES}`;
    if (!this.options.send(bytes)) return "the link has no session";
    this.saidBytes += bytes.length;
    return undefined;
  }

  private take(message: JsonObject): void {
    if (typeof message["ev"] === "string") this.options.event(message);
    else if (typeof message["net"] === "string") this.takeNetwork(message);
    else if (typeof message["id"] === "number") this.takeAnswer(message["id"], message);
    else this.options.counters.unknown += 1;
  }

  private takeNetwork(message: JsonObject): void {
    const network = parseNetworkMessage(message);
    if (network === undefined) this.options.counters.invalid += 1;
    else this.options.network(network);
  }

  /** An answer after its time is counted as unknown: whoever asked has gone on. */
  private takeAnswer(id: number, answer: JsonObject): void {
    const command = this.pending.get(id);
    if (command === undefined) {
      this.options.counters.unknown += 1;
      return;
    }
    this.pending.delete(id);
    command.timer.cancel();
    if (answer["ok"] === true) {
      command.resolve(answer["value"] ?? null);
      return;
    }
    const code = typeof answer["error"] === "string" ? answer["error"] : "failed";
    const reason = typeof answer["message"] === "string" ? answer["message"] : "no reason given";
    command.reject(commandFailed(command.op, code, reason));
  }
}

/** @param boardError The board's word, such as `unknown-op`; `unsent` and `lost` are the host's. */
export const commandFailed = (op: string, boardError: string, reason: string): FleetrigError =>
  new FleetrigError("BOARD_COMMAND_FAILED", `The board did not do "${op}": ${reason}.`, {
    hint: `The error is ${boardError}; PROTOCOL.md of hil/link lists what a board can do.`,
    context: { op, boardError },
  });

export const commandCutOff = (op: string): FleetrigError =>
  new FleetrigError("BOARD_RESTARTED", `The board restarted before it answered "${op}".`, {
    hint: "Its log and the reset reason of its hello say why.",
    context: { op },
  });

import type { Duplex } from "node:stream";
import { FleetrigError, isJsonObject, type JsonObject, parseJson } from "fleetrig/kernel";

/** A line of QEMU's answers is never longer; what is, comes from something else. */
const LINE_MAX_CHARS = 1_048_576;
const MAX_DEPTH = 32;

interface Asked {
  readonly command: string;
  resolve(): void;
  reject(error: FleetrigError): void;
}

/** QEMU's machine protocol (QMP), as far as a board needs it: commands without results, and events. */
export class QmpClient {
  private readonly asked: Asked[] = [];
  private text = "";
  private hasEnded = false;

  /** @param event Told the name and data of everything QEMU reports by itself. */
  constructor(
    private readonly stream: Duplex,
    private readonly event: (name: string, data: JsonObject) => void,
  ) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.take(text));
    stream.on("error", () => this.end());
    stream.on("close", () => this.end());
  }

  /**
   * Answers come in the order of the commands.
   * @throws {FleetrigError} BOARD_EMULATOR_FAILED (rejection)
   */
  execute(command: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) reject(failure(command, "it has ended"));
      else {
        this.asked.push({ command, resolve, reject });
        this.stream.write(`${JSON.stringify({ execute: command })}\n`);
      }
    });
  }

  private take(text: string): void {
    this.text += text;
    const lines = this.text.split("\n");
    this.text = lines.pop()!.slice(0, LINE_MAX_CHARS);
    for (const line of lines) this.answer(line);
  }

  private answer(line: string): void {
    const parsed = parseJson(line, MAX_DEPTH);
    if (!parsed.ok || !isJsonObject(parsed.value)) return;
    const { event, data, error } = parsed.value;
    if (typeof event === "string") this.event(event, isJsonObject(data) ? data : {});
    else if (isJsonObject(error)) {
      const asked = this.asked.shift();
      asked?.reject(failure(asked.command, JSON.stringify(error["desc"])));
    } else if (Object.hasOwn(parsed.value, "return")) this.asked.shift()?.resolve();
  }

  private end(): void {
    this.hasEnded = true;
    for (const { command, reject } of this.asked.splice(0)) reject(failure(command, "it has ended"));
  }
}

const failure = (command: string, reason: string): FleetrigError =>
  new FleetrigError("BOARD_EMULATOR_FAILED", `QEMU did not do "${command}": ${reason}.`, {
    hint: "The board's log has what QEMU wrote before.",
  });

import { type Clock, FleetrigError, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import type { Port } from "../port/port.js";
import type { FlashLine } from "./flash-line.js";
import { LineReader } from "./line-reader.js";
import { parseTraceback, type Traceback, tracebackError } from "./traceback.js";

/**
 * MicroPython's *raw REPL*: a mode of its prompt for programs. Code is sent whole and run at a ^D; output, error and the next prompt come back,
 * each ended by ^D. *Raw paste* is the same with flow control, where the board has it [MicroPython documentation, "The REPL"].
 */
const CTRL_A = "\x01";
const CTRL_B = "\x02";
const CTRL_C = "\x03";
const CTRL_D = "\x04";
const RAW_PROMPT = "raw REPL; CTRL-B to exit\r\n>";
const PASTE_REQUEST = "\x05A\x01";
const PASTE_YES = "R\x01";
const PASTE_NO = "R\x00";

const ENTER_ATTEMPTS = 8;
const ANSWER_US = US_PER_S;
const SOFT_RESET_US = 5 * US_PER_S;
/** Without flow control: what every board's receive buffer holds, and how long it needs for it. */
const PLAIN_PIECE_BYTES = 32;
const PLAIN_PAUSE_US = 10 * US_PER_MS;
const SLOWEST_PAUSE_US = 80 * US_PER_MS;

export interface RunOptions {
  /** Default: 10 s. */
  readonly timeoutUs?: number;
  /** Name that the code has in tracebacks. Default: `<stdin>`, as the board calls it. */
  readonly name?: string;
}

export class RawRepl {
  /** Undefined until the board has been asked for it. */
  private hasPaste: boolean | undefined;
  private pauseUs = PLAIN_PAUSE_US;

  private constructor(
    private readonly port: Port,
    private readonly reader: LineReader,
    private readonly clock: Clock,
    private readonly stopListening: () => void,
  ) {}

  /**
   * Stops what runs and enters the raw REPL.
   * @throws FleetrigError BOARD_NO_REPL, FLASH_LINE_LOST
   */
  static async enter({ port, listen }: Pick<FlashLine, "port" | "listen">, clock: Clock): Promise<RawRepl> {
    const reader = new LineReader(clock);
    const stop = listen(reader);
    const repl = new RawRepl(port, reader, clock, stop);
    for (let attempt = 0; attempt < ENTER_ATTEMPTS; attempt += 1) {
      try {
        await repl.interrupt();
        return repl;
      } catch (error) {
        if (!(error instanceof FleetrigError) || error.code !== "BOARD_NO_ANSWER") {
          stop();
          throw error;
        }
      }
    }
    stop();
    throw new FleetrigError("BOARD_NO_REPL", "The board does not show the prompt of MicroPython.", {
      hint: "Check that MicroPython is on it, and that its script does not switch off Ctrl-C (micropython.kbd_intr) or move the REPL elsewhere.",
      context: { last: reader.text.slice(-200) },
    });
  }

  /**
   * Runs code and waits for its end.
   * @returns What it printed.
   * @throws FleetrigError BOARD_TRACEBACK, BOARD_NO_ANSWER, FLASH_LINE_LOST
   */
  async run(code: string, options: RunOptions = {}): Promise<string> {
    for (;;) {
      try {
        return await this.runOnce(code, options);
      } catch (error) {
        if (!this.mayHaveLostBytes(error)) throw error;
        this.pauseUs *= 2;
        await this.interrupt();
      }
    }
  }

  private async runOnce(code: string, { timeoutUs = 10 * US_PER_S, name }: RunOptions): Promise<string> {
    this.reader.forget();
    await this.send(Buffer.from(code, "utf8"));
    const output = trimmed(await this.reader.until(CTRL_D, timeoutUs));
    const failure = trimmed(await this.reader.until(CTRL_D, ANSWER_US));
    await this.reader.until(">", ANSWER_US);
    if (failure === "") return output;
    throw tracebackError(renamed(parseTraceback(failure) ?? unreadable(failure), name));
  }

  /** Without flow control a busy board loses some of what it is sent. What does not even parse has not run: it may be sent again, slower. */
  private mayHaveLostBytes(error: unknown): boolean {
    return (
      this.hasPaste === false &&
      this.pauseUs < SLOWEST_PAUSE_US &&
      error instanceof FleetrigError &&
      error.code === "BOARD_TRACEBACK" &&
      (error.context["type"] === "SyntaxError" || error.context["type"] === "IndentationError")
    );
  }

  /** Restarts the interpreter and stays in the raw REPL: main.py does not run. */
  async softReset(): Promise<void> {
    this.reader.forget();
    this.write(CTRL_D);
    await this.reader.until(RAW_PROMPT, SOFT_RESET_US);
  }

  /** Leaves the raw REPL and lets go of the port. @param restarts Restarts the interpreter, which then runs main.py. */
  async leave(restarts: boolean): Promise<void> {
    this.reader.forget();
    this.write(CTRL_B);
    await this.reader.until(">>> ", ANSWER_US).catch(() => undefined);
    if (restarts) {
      this.write(CTRL_D);
      await this.reader.until("soft reboot", SOFT_RESET_US);
    }
    this.stopListening();
  }

  private async interrupt(): Promise<void> {
    this.reader.forget();
    // A first ^C may be what wakes it, a second one ends it; ^B in case the raw REPL is where somebody left it.
    this.write(`\r${CTRL_C}${CTRL_C}${CTRL_B}`);
    await this.pause(20 * US_PER_MS);
    this.write(`\r${CTRL_A}`);
    await this.reader.until(RAW_PROMPT, ANSWER_US);
  }

  private async send(code: Uint8Array): Promise<void> {
    if (this.hasPaste !== false) {
      this.hasPaste = await this.startPaste();
      if (this.hasPaste) {
        await this.paste(code);
        return;
      }
    }
    for (let at = 0; at < code.length; at += PLAIN_PIECE_BYTES) {
      this.port.write(code.subarray(at, at + PLAIN_PIECE_BYTES));
      await this.pause(this.pauseUs);
    }
    this.write(CTRL_D);
    await this.reader.until("OK", ANSWER_US);
  }

  private async startPaste(): Promise<boolean> {
    this.write(PASTE_REQUEST);
    const answer = (await this.reader.take(2, ANSWER_US)).toString("latin1");
    if (answer === PASTE_YES) return true;
    if (answer === PASTE_NO) return false;
    // Boards that know nothing of it take the last byte for ^A, and greet.
    await this.reader.until(">", ANSWER_US);
    return false;
  }

  /** Sends within the board's window; each ^A of the board opens it further. */
  private async paste(code: Uint8Array): Promise<void> {
    const stepBytes = (await this.reader.take(2, ANSWER_US)).readUInt16LE();
    let window = stepBytes;
    for (let at = 0; at < code.length; ) {
      if (window === 0) {
        const [signal] = await this.reader.take(1, ANSWER_US);
        window += stepBytes;
        if (signal === CTRL_A.charCodeAt(0)) continue;
        // The board has enough: the code is wrong so far, or does not fit its memory. It tells why once it is answered.
        this.write(CTRL_D);
        return;
      }
      const piece = code.subarray(at, at + window);
      this.port.write(piece);
      at += piece.length;
      window -= piece.length;
    }
    this.write(CTRL_D);
    await this.reader.until(CTRL_D, ANSWER_US);
  }

  private write(text: string): void {
    this.port.write(Buffer.from(text, "latin1"));
  }

  private pause(delayUs: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(delayUs, resolve));
  }
}

/** Without the mark at its end, and with plain line feeds: boards differ in whether they print carriage returns. */
const trimmed = (bytes: Buffer): string => bytes.subarray(0, -1).toString("utf8").replaceAll("\r\n", "\n");

const unreadable = (text: string): Traceback => ({
  type: "Error",
  message: text.trim().slice(-200),
  frames: [],
});

const renamed = (traceback: Traceback, name: string | undefined): Traceback => ({
  ...traceback,
  frames: traceback.frames.map((frame) =>
    frame.file === "<stdin>" && name !== undefined ? { ...frame, file: name } : frame,
  ),
});

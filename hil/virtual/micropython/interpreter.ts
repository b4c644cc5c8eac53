import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript";
import { keepFiles, loadFiles, makeFolder } from "./board-files.js";
import { InputRing } from "./input-ring.js";
import { MACHINE_MODULES } from "./machine-modules.js";

/**
 * MicroPython as it runs on a board: boot.py, main.py, then the REPL, and all of it again at a soft reset. Everything blocks in here.
 */
type Python = Awaited<ReturnType<typeof loadMicroPython>>;

const HEAP_BYTES = 262_144;
const STDOUT = 1;
const LINE_FEED = 0x0a;
const CTRL_A = 0x01;
const CTRL_B = 0x02;
const CTRL_E = 0x05;
/** Output is handed over at least this often. */
const OUTPUT_BYTES = 512;
const MODULES = "/lib/.virtual";
const ENDLESS_MS = 3_600_000;
const EXIT_DEEP_SLEEP = 65;

/** MicroPython's numbers of reset causes, by the ROM's names. */
const RESET_CAUSES: Readonly<Record<string, number>> = {
  POWERON: 1,
  SW_CPU_RESET: 2,
  PANIC: 2,
  TG0_WDT_RESET: 3,
  DEEPSLEEP: 4,
};
const SOFT_RESET_CAUSE = 5;

/** Which board it is, and why it starts. */
interface BoardEnvironment {
  readonly BOARD_MAC: string;
  readonly BOARD_FILES: string;
  readonly FLEETRIG_RESET_REASON: string;
}

const ring = new InputRing(workerData as SharedArrayBuffer);

class Interpreter {
  private readonly input: number[] = [];
  private output: number[] = [];
  private isQuiet = false;
  private isRaw = false;
  private resetCause = 1;
  private startedMs = 0;
  private environment!: BoardEnvironment;
  private python!: Python;

  async run(): Promise<never> {
    this.python = await this.load();
    this.environment = await new Promise<BoardEnvironment>((resolve) => parentPort!.once("message", resolve));
    this.startedMs = performanceNow();
    this.resetCause = RESET_CAUSES[this.environment.FLEETRIG_RESET_REASON] ?? 1;
    for (;;) {
      this.boot();
      if (!this.isRaw) this.runFiles(["boot.py", "main.py"]);
      this.converse();
      this.print("MPY: soft reboot\r\n");
      this.resetCause = SOFT_RESET_CAUSE;
      this.python = await this.load();
    }
  }

  private load(): Promise<Python> {
    return loadMicroPython({
      heapsize: HEAP_BYTES,
      linebuffer: false,
      stdin: () => this.read(),
      stdout: (bytes: Uint8Array) => this.write(bytes),
      stderr: (bytes: Uint8Array) => this.write(bytes),
    });
  }

  private boot(): void {
    const { python, startedMs, environment } = this;
    const { BOARD_FILES, BOARD_MAC } = environment;
    makeFolder(python.FS, "/lib");
    makeFolder(python.FS, MODULES);
    for (const [name, text] of Object.entries(MACHINE_MODULES))
      python.FS.writeFile(`${MODULES}/${name}`, text.trimStart());
    loadFiles(python.FS, BOARD_FILES);
    keepFiles(python.FS, BOARD_FILES);
    python.registerJsModule("_board", {
      mac: BOARD_MAC,
      wait: (ms: number) => this.wait(ms),
      poll: (ms: number) => this.poll(ms),
      ticks_us: () => Math.floor((performanceNow() - startedMs) * 1000) & 0x3fff_ffff,
      random_byte: () => randomBytes(1)[0]!,
      reset_cause: () => this.resetCause,
      restart: (code: number) => this.end(code),
      deep_sleep: (ms: number) => this.deepSleep(ms),
    });
    // Before the frozen modules, after the board's own files.
    python.runPython(`import sys; sys.path.insert(1, "${MODULES}"); del sys`);
  }

  /** As at the start of a board: a missing file is none, a script's end or failure leads to the next. */
  private runFiles(names: readonly string[]): void {
    for (const name of names) {
      try {
        this.python.FS.readFile(`/${name}`);
      } catch {
        continue;
      }
      if (!this.execute(name)) return;
    }
  }

  /** @returns false when the script wants a soft reset. */
  private execute(name: string): boolean {
    try {
      // As the REPL does for what it runs: Ctrl-C interrupts a script, unless it decides otherwise.
      this.python.runPython(
        `import micropython; micropython.kbd_intr(3)\nexec(compile(open("/${name}").read(), "${name}", "exec"))`,
      );
      return true;
    } catch (error) {
      const { type, message } = error as { type?: string; message?: string };
      if (type === "SystemExit") return false;
      this.print((message ?? String(error)).replaceAll("\n", "\r\n"));
      return true;
    }
  }

  /** The REPL, until a soft reset. */
  private converse(): void {
    const { python } = this;
    this.isQuiet = this.isRaw;
    python.replInit();
    this.isQuiet = false;
    if (this.isRaw) python.replProcessChar(CTRL_A);
    for (;;) {
      const byte = this.read();
      if (byte === null) continue;
      if (this.isRaw && byte === CTRL_E) {
        this.declinePaste();
        continue;
      }
      if (byte === CTRL_A) this.isRaw = true;
      if (byte === CTRL_B) this.isRaw = false;
      if (python.replProcessChar(byte) !== 0) return;
    }
  }

  /** Raw paste (^E A ^A) would read past our input and never return: this board understands the question and does not have it. */
  private declinePaste(): void {
    this.read();
    this.read();
    this.print("R\x00");
  }

  /** The next byte of input; waits for it. Null when a KeyboardInterrupt came instead. */
  private read(): number | null {
    this.flush();
    for (;;) {
      // An interrupt overtakes what was typed before it: whoever waits for a line must not go on waiting.
      if (this.collect()) return null;
      const byte = this.input.shift();
      if (byte !== undefined) return byte;
      ring.wait(ENDLESS_MS);
    }
  }

  private poll(ms: number): boolean {
    this.flush();
    const untilMs = performanceNow() + (ms < 0 ? ENDLESS_MS : ms);
    for (;;) {
      const isInterrupted = this.collect();
      if (this.input.length > 0) return true;
      const leftMs = untilMs - performanceNow();
      if (isInterrupted || leftMs <= 0) return false;
      ring.wait(leftMs);
    }
  }

  private wait(ms: number): void {
    this.flush();
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const untilMs = performanceNow() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = untilMs - performanceNow()) {
      if (this.collect()) return;
      Atomics.wait(idle, 0, 0, Math.min(leftMs, 20));
    }
  }

  /** @returns whether Ctrl-C was among what came. */
  private collect(): boolean {
    const { _module } = this.python;
    const interrupt = _module._mp_hal_get_interrupt_char();
    let isInterrupted = false;
    ring.take((byte) => {
      if (byte !== interrupt) this.input.push(byte);
      else {
        _module._mp_sched_keyboard_interrupt();
        isInterrupted = true;
      }
    });
    return isInterrupted;
  }

  private write(bytes: Uint8Array): void {
    if (this.isQuiet) return;
    for (const byte of bytes) this.output.push(byte);
    if (bytes.at(-1) !== LINE_FEED && this.output.length < OUTPUT_BYTES) return;
    this.flush();
    this.collect();
  }

  private print(text: string): void {
    this.write(Buffer.from(text));
    this.flush();
  }

  private flush(): void {
    if (this.output.length === 0) return;
    const bytes = Buffer.from(this.output);
    this.output = [];
    for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at);
  }

  private deepSleep(ms: number): never {
    this.flush();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms > 0 ? ms : Number.POSITIVE_INFINITY);
    return this.end(EXIT_DEEP_SLEEP);
  }

  private end(code: number): never {
    this.flush();
    process.exit(code);
  }
}

function performanceNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

await new Interpreter().run();

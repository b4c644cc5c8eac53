/** What can be read from the lines of a panic. Addresses are those of the program. */
export interface PanicFacts {
  readonly core: number | undefined;
  /** By the names that the board prints: `MEPC`, `A0`, `EXCVADDR`; ESP8266: `epc1`. */
  readonly registers: Readonly<Record<string, number>>;
  /** Where it happened. */
  readonly programCounter: number | undefined;
  /** Return addresses from the innermost call outwards; of RISC-V, which prints none, program counter and return address. */
  readonly backtrace: readonly number[];
  /** Beginning of the SHA-256 of the ELF file that was flashed. */
  readonly elfSha256: string | undefined;
  /** Of an assertion or a script's exception. */
  readonly source: { readonly file: string; readonly line: number } | undefined;
  /** A core dump follows on the line, or is in it. */
  readonly hasCoreDump: boolean;
}

const CORE = /Core\s+(\d) (?:panic'ed|register dump)|on core (\d)/;
const REGISTER =
  /\b([A-Z][A-Z0-9]{0,8}(?:\/[A-Z0-9]{1,4})?|epc[1-3]|excvaddr|depc)\s*[:=]\s*(?:0x)([0-9a-f]{8})\b/g;
const BACKTRACE = /Backtrace:((?: ?0x[0-9a-f]{8}:0x[0-9a-f]{8})+)/;
const CALLED_AT = /called at PC (0x[0-9a-f]{1,8})/;
const ELF_SHA = /ELF file SHA256:\s+([0-9a-f]{8,64})/;
const ASSERT_SOURCE = /assert failed: .{0,120}? ([^\s:]{1,120}):(\d{1,6})\b/;
const PANIC_SOURCE = /^Panic (\S{1,120}):(\d{1,6}) /;
const SCRIPT_SOURCE = /^ +File "([^"]{1,200})", line (\d{1,7})/;
const CORE_DUMP = /={10} CORE DUMP START ={10}|Save core dump to flash/;
/** More than any processor has. */
const MAX_REGISTERS = 100;
const MAX_FRAMES = 64;

type Source = { readonly file: string; readonly line: number };

/** Reads lines one by one and keeps what is in them. */
export class PanicDump {
  private readonly registers = new Map<string, number>();
  private core: number | undefined;
  private calledAt: number | undefined;
  private backtrace: number[] = [];
  private elfSha256: string | undefined;
  private source: Source | undefined;
  private hasCoreDump = false;
  private isInTraceback = false;
  /** The exception's own line has come. */
  isTracebackOver = false;

  line(text: string): void {
    const core = CORE.exec(text);
    if (core !== null) this.core ??= Number(core[1] ?? core[2]);
    const calledAt = CALLED_AT.exec(text);
    if (calledAt !== null) this.calledAt ??= Number(calledAt[1]);
    this.readRegisters(text);
    this.readBacktrace(text);
    this.elfSha256 ??= ELF_SHA.exec(text)?.[1];
    this.hasCoreDump ||= CORE_DUMP.test(text);
    this.readSource(text);
  }

  facts(): PanicFacts {
    const { core, elfSha256, source, hasCoreDump } = this;
    const register = (...names: readonly string[]): number | undefined =>
      names.map((name) => this.registers.get(name)).find((value) => value !== undefined);
    const programCounter = this.calledAt ?? register("MEPC", "PC", "epc1");
    const returns = [programCounter, register("RA")].filter(
      (address) => address !== undefined && address !== 0,
    );
    return {
      core,
      registers: Object.fromEntries(this.registers),
      programCounter,
      backtrace: this.backtrace.length > 0 ? [...this.backtrace] : (returns as number[]),
      elfSha256,
      source,
      hasCoreDump,
    };
  }

  /** The first value counts: a second core, or a second panic inside the first, comes later. */
  private readRegisters(text: string): void {
    for (const match of text.matchAll(REGISTER)) {
      const name = match[1]!;
      if (this.registers.size < MAX_REGISTERS && !this.registers.has(name)) {
        this.registers.set(name, Number.parseInt(match[2]!, 16));
      }
    }
  }

  private readBacktrace(text: string): void {
    const match = BACKTRACE.exec(text);
    if (match === null || this.backtrace.length > 0) return;
    const frames = match[1]!.trim().split(" ").slice(0, MAX_FRAMES);
    this.backtrace = frames.map((frame) => Number(frame.split(":")[0]));
  }

  /** A script's innermost frame is its last, a C assertion has one. */
  private readSource(text: string): void {
    const inC = ASSERT_SOURCE.exec(text) ?? PANIC_SOURCE.exec(text);
    if (inC !== null) this.source ??= sourceOf(inC);
    const inScript = SCRIPT_SOURCE.exec(text);
    if (inScript !== null) this.source = sourceOf(inScript);
    if (text.startsWith("Traceback (most")) this.isInTraceback = true;
    else if (this.isInTraceback && /^\S/.test(text)) this.isTracebackOver = true;
  }
}

const sourceOf = (match: RegExpExecArray): Source => ({ file: match[1]!, line: Number(match[2]) });

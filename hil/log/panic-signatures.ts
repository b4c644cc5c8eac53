import { parsePrefix } from "./log-line.js";

/**
 * Lines with which firmware dies, as data. A signature has an exact form, which names the kind, and *fragments*: any of them is
 * enough to know that it is a panic when noise or a frame has damaged the rest of the line, or while the line has no end yet.
 */
interface PanicSignature {
  /** The whole form; its groups go to `kind`. */
  readonly pattern: RegExp;
  readonly fragments: readonly RegExp[];
  kind(match: RegExpExecArray): string;
  /** Kind when only a fragment was there. */
  readonly vagueKind: string;
  /** `survivable`: the firmware may go on, then a line of an ordinary log ends the panic. `past`: it is told after the restart. */
  readonly course?: "survivable" | "past";
}

/** More noise than this in the middle of a phrase hides it. */
const MAX_NOISE_CHARS = 40;

/** Two of three parts of a phrase, in their order: what one burst of noise leaves of it. */
function fragmentsOf(first: string, second: string, third: string): RegExp[] {
  const [a, b, c] = [first, second, third].map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return [new RegExp(`${a}${b}`), new RegExp(`${b}${c}`), new RegExp(`${a}.{0,${MAX_NOISE_CHARS}}${c}`)];
}

/** Reasons of "Guru Meditation Error", Xtensa's and RISC-V's. Others become kinds by their words. */
const GURU_KINDS: Readonly<Record<string, string>> = {
  LoadProhibited: "load-prohibited",
  StoreProhibited: "store-prohibited",
  IllegalInstruction: "illegal-instruction",
  InstrFetchProhibited: "instruction-fetch-prohibited",
  IntegerDivideByZero: "divide-by-zero",
  LoadStoreAlignment: "misaligned-access",
  LoadStoreError: "load-store-error",
  "Unhandled debug exception": "debug-exception",
  "Cache disabled but cached memory region accessed": "cache-disabled",
  "Cache error": "cache-error",
  "Load access fault": "load-access-fault",
  "Store access fault": "store-access-fault",
  "Illegal instruction": "illegal-instruction",
  "Instruction access fault": "instruction-access-fault",
  Breakpoint: "breakpoint",
  "Stack protection fault": "stack-overflow",
};

function guruKind(match: RegExpExecArray): string {
  const reason = match[1]!;
  if (reason.startsWith("Interrupt wdt timeout")) return "interrupt-watchdog";
  return GURU_KINDS[reason] ?? wordsOf(reason);
}

/** Exceptions of the Xtensa core that an ESP8266 reports by number. */
const XTENSA_CAUSES: Readonly<Record<number, string>> = {
  0: "illegal-instruction",
  2: "instruction-fetch-error",
  3: "load-store-error",
  4: "level1-interrupt",
  6: "divide-by-zero",
  9: "misaligned-access",
  20: "instruction-fetch-prohibited",
  28: "load-prohibited",
  29: "store-prohibited",
};

const xtensaKind = (match: RegExpExecArray): string =>
  XTENSA_CAUSES[Number(match[1])] ?? `exception-${match[1]!}`;

const wordsOf = (reason: string): string =>
  reason
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40) || "panic";

const always = (kind: string) => ({ kind: () => kind, vagueKind: kind });

/** In order: the first that fits decides. */
const PANIC_SIGNATURES: readonly PanicSignature[] = [
  {
    pattern: /Guru Meditation Error: Core\s+\d panic'ed \(([^)]{1,80})\)/,
    fragments: [...fragmentsOf("Guru M", "editation", " Error"), /panic'ed \(/],
    kind: guruKind,
    vagueKind: "panic",
  },
  {
    pattern: /Stack canary watchpoint triggered \(([^)]{0,40})\)/,
    fragments: fragmentsOf("Stack can", "ary watch", "point triggered"),
    ...always("stack-overflow"),
  },
  {
    pattern: /\*{3}ERROR\*{3} A stack overflow in task (\S{1,40}) has been detected/,
    fragments: fragmentsOf("A stack ov", "erflow in", " task"),
    ...always("stack-overflow"),
  },
  {
    pattern: /Stack smashing protect failure!/,
    fragments: fragmentsOf("Stack sm", "ashing pro", "tect failure!"),
    ...always("stack-smashing"),
  },
  {
    pattern: /CORRUPT HEAP: (.{1,200})/,
    fragments: fragmentsOf("CORR", "UPT H", "EAP:"),
    ...always("heap-corruption"),
  },
  {
    pattern: /assert failed: (.{1,300})/,
    fragments: [/assert fail/],
    ...always("assert"),
  },
  {
    pattern: /abort\(\) was called at PC (0x[0-9a-f]{1,8}) on core \d/,
    fragments: fragmentsOf("abort() ", "was called", " at PC 0x"),
    ...always("abort"),
  },
  {
    pattern: /Brownout detector was triggered/,
    fragments: fragmentsOf("Brown", "out d", "etector was triggered"),
    ...always("brownout"),
  },
  {
    pattern: /task_wdt: Task watchdog got triggered/,
    fragments: fragmentsOf("task_wdt: ", "Task watchdog", " got triggered"),
    ...always("task-watchdog"),
    course: "survivable",
  },
  {
    pattern: /ZEPHYR FATAL ERROR \d{1,3}: (.{1,80}?)(?: on CPU \d)?$/,
    fragments: [/ZEPHYR FAT/],
    kind: (match) => wordsOf(match[1]!),
    vagueKind: "panic",
  },
  {
    pattern: /Fatal exception \(?(\d{1,2})\b/,
    fragments: [],
    kind: xtensaKind,
    vagueKind: "panic",
  },
  {
    pattern: /(?:^|[^\w ])Exception \((\d{1,2})\):/,
    fragments: fragmentsOf("CUT HERE ", "FOR EXCEPTION", " DECODER"),
    kind: xtensaKind,
    vagueKind: "panic",
  },
  {
    pattern: /^Panic (\S{1,120}:\d{1,6}) (\S{1,120})/,
    fragments: [/User exception \(panic/],
    ...always("abort"),
  },
  {
    pattern: /Soft WDT reset/,
    fragments: fragmentsOf("Soft ", "WDT", " reset"),
    ...always("software-watchdog"),
  },
  { pattern: /^\s*wdt reset$/, fragments: [], ...always("hardware-watchdog"), course: "past" },
  {
    pattern: /^Traceback \(most recent call last\):/,
    fragments: fragmentsOf("Traceback (", "most recent", " call last):"),
    ...always("traceback"),
    course: "survivable",
  },
  { pattern: /Entering gdb stub now\.|^\$T[0-9a-f]{2}#[0-9a-f]{2}/, fragments: [], ...always("gdb-stub") },
  // What follows a first line that nobody saw whole.
  {
    pattern: /Core\s+\d register dump:/,
    fragments: [/^MEPC\s*: 0x[0-9a-f]{8}/, /^PC\s*: 0x[0-9a-f]{8} +PS\s*: 0x/, /={10} CORE DUMP START/],
    ...always("panic"),
  },
  { pattern: /^Backtrace:(?: ?0x[0-9a-f]{8}:0x[0-9a-f]{8})+/, fragments: [], ...always("panic") },
];

/** Kinds that say no more than that there was a panic, or what the processor saw of it: a later line may know better. */
export const VAGUE_KINDS: ReadonlySet<string> = new Set(["panic", "debug-exception", "gdb-stub"]);

export interface RecognisedPanic {
  readonly kind: string;
  readonly isExact: boolean;
  readonly course: "fatal" | "survivable" | "past";
}

/** @param isExactOnly The line has no end yet and may still become anything. */
export function recognisePanic(text: string, isExactOnly = false): RecognisedPanic | undefined {
  for (const signature of PANIC_SIGNATURES) {
    const match = signature.pattern.exec(text);
    if (match === null) continue;
    return { kind: signature.kind(match), isExact: true, course: signature.course ?? "fatal" };
  }
  // A panic may stand behind half a line of the log; pieces of one are too little to go by there.
  if (isExactOnly || isCalm(text)) return undefined;
  for (const signature of PANIC_SIGNATURES) {
    if (!signature.fragments.some((fragment) => fragment.test(text))) continue;
    return { kind: signature.vagueKind, isExact: false, course: signature.course ?? "fatal" };
  }
  return undefined;
}

/** Whether a line, as it should be, says that the firmware dies. */
export const isPanic = (line: string): boolean => recognisePanic(line, true)?.course === "fatal";

function isCalm(text: string): boolean {
  const { level } = parsePrefix(text);
  return level !== undefined && level !== "error";
}

/** A death as a board prints it, and what has to be read from it. */
export interface Dump {
  readonly name: string;
  readonly text: string;
  readonly kind: string;
  readonly end: string;
  /** Where more than the first report is worth checking. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join("");

const RISCV_REGISTERS = [
  "Core  0 register dump:",
  "MEPC    : 0x42008e1c  RA      : 0x42008e02  SP      : 0x3fc98f40  GP      : 0x3fc8c200",
  "TP      : 0x3fc98fb0  T0      : 0x4005890e  T1      : 0x20000000  T2      : 0x00000000",
  "S0/FP   : 0x3c0243a0  S1      : 0x00000001  A0      : 0x00000000  A1      : 0x0000000a",
  "MSTATUS : 0x00001881  MTVEC   : 0x40380001  MCAUSE  : 0x00000005  MTVAL   : 0x00000010",
] as const;

const riscv = (reason: string, kind: string): Dump => ({
  name: `RISC-V: ${reason}`,
  text: lines(
    `Guru Meditation Error: Core  0 panic'ed (${reason}). Exception was unhandled.`,
    "",
    ...RISCV_REGISTERS,
    "",
    "Stack memory:",
    "3fc98f40: 0x00000000 0x3c0243a0 0x00000001 0x42008d10 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5",
    "",
    "ELF file SHA256: 4f0c2b7d91e3a855",
    "",
    "Rebooting...",
  ),
  kind,
  end: "rebooting",
  facts: {
    programCounter: 0x42008e1c,
    backtrace: [0x42008e1c, 0x42008e02],
    elfSha256: "4f0c2b7d91e3a855",
    core: 0,
  },
});

const xtensa = (reason: string, kind: string, ...more: readonly string[]): Dump => ({
  name: `Xtensa: ${reason}`,
  text: lines(
    `Guru Meditation Error: Core  1 panic'ed (${reason}). Exception was unhandled.`,
    ...more,
    "",
    "Core  1 register dump:",
    "PC      : 0x400d4a1e  PS      : 0x00060c30  A0      : 0x800d1f07  A1      : 0x3ffb4c60",
    "A2      : 0x00000000  A3      : 0x3ffb2e1c  EXCCAUSE: 0x0000001c  EXCVADDR: 0x00000004",
    "",
    "Backtrace: 0x400d4a1b:0x3ffb4c60 0x400d1f04:0x3ffb4c80 0x40089a3d:0x3ffb4ca0",
    "",
    "ELF file SHA256: 90ab12cd34ef5678",
    "",
    "Rebooting...",
  ),
  kind,
  end: "rebooting",
  facts: { backtrace: [0x400d4a1b, 0x400d1f04, 0x40089a3d], programCounter: 0x400d4a1e, core: 1 },
});

export const DUMPS: readonly Dump[] = [
  riscv("Load access fault", "load-access-fault"),
  riscv("Store access fault", "store-access-fault"),
  riscv("Illegal instruction", "illegal-instruction"),
  riscv("Breakpoint", "breakpoint"),
  riscv("Stack protection fault", "stack-overflow"),
  riscv("Cache error", "cache-error"),
  riscv("Interrupt wdt timeout on CPU0", "interrupt-watchdog"),
  xtensa("LoadProhibited", "load-prohibited"),
  xtensa("StoreProhibited", "store-prohibited"),
  xtensa("IllegalInstruction", "illegal-instruction"),
  xtensa("InstrFetchProhibited", "instruction-fetch-prohibited"),
  xtensa("IntegerDivideByZero", "divide-by-zero"),
  xtensa("LoadStoreAlignment", "misaligned-access"),
  xtensa("Cache disabled but cached memory region accessed", "cache-disabled"),
  xtensa("Interrupt wdt timeout on CPU1", "interrupt-watchdog"),
  xtensa(
    "Unhandled debug exception",
    "stack-overflow",
    "Debug exception reason: Stack canary watchpoint triggered (sensor_task) ",
  ),
  {
    name: "abort",
    text: lines("", "abort() was called at PC 0x42007f31 on core 0", ...RISCV_REGISTERS, "Rebooting..."),
    kind: "abort",
    end: "rebooting",
    facts: { programCounter: 0x42007f31, core: 0 },
  },
  {
    name: "assert",
    text: lines(
      "assert failed: sensor_read sensor.c:88 (bus != NULL)",
      "Core  0 register dump:",
      "MEPC    : 0x40380abc  RA      : 0x40384f20",
      "Rebooting...",
    ),
    kind: "assert",
    end: "rebooting",
    facts: { source: { file: "sensor.c", line: 88 } },
  },
  {
    name: "heap corruption",
    text: lines(
      "CORRUPT HEAP: Bad tail at 0x3ffb9f20. Expected 0xbaad5678 got 0x00000000",
      "",
      "assert failed: multi_heap_free multi_heap_poisoning.c:259 (head != NULL)",
      "Backtrace: 0x400818fe:0x3ffb4bd0 0x40087d21:0x3ffb4bf0",
      "Rebooting...",
    ),
    kind: "heap-corruption",
    end: "rebooting",
  },
  {
    name: "stack smashing",
    text: lines(
      "",
      "Stack smashing protect failure!",
      "",
      "abort() was called at PC 0x400d2137 on core 0",
      "Backtrace: 0x400818fe:0x3ffb4bd0 0x40087d21:0x3ffb4bf0",
      "Rebooting...",
    ),
    kind: "stack-smashing",
    end: "rebooting",
  },
  {
    name: "stack overflow found by FreeRTOS",
    text: lines(
      "***ERROR*** A stack overflow in task sensor has been detected.",
      "Backtrace: 0x400818fe:0x3ffb4bd0 0x40087d21:0x3ffb4bf0",
      "Rebooting...",
    ),
    kind: "stack-overflow",
    end: "rebooting",
  },
  {
    name: "brownout",
    text: lines(
      "",
      "Brownout detector was triggered",
      "",
      "ets Jul 29 2019 12:21:46",
      "",
      "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
    ),
    kind: "brownout",
    end: "restarted",
  },
  {
    name: "task watchdog that panics",
    text: lines(
      "E (10321) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:",
      "E (10321) task_wdt:  - IDLE0 (CPU 0)",
      "E (10321) task_wdt: Tasks currently running:",
      "E (10321) task_wdt: CPU 0: measure",
      "E (10321) task_wdt: Aborting.",
      "",
      "abort() was called at PC 0x400e31f4 on core 0",
      "Backtrace: 0x400818fe:0x3ffb4bd0 0x40087d21:0x3ffb4bf0",
      "Rebooting...",
    ),
    kind: "task-watchdog",
    end: "rebooting",
  },
  {
    name: "core dump on the line",
    text: lines(
      "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
      "================= CORE DUMP START =================",
      "cGAAAAYAAAABAAAAAAAAAAEAAACgAAAA",
      "================= CORE DUMP END =================",
      "Rebooting...",
    ),
    kind: "load-prohibited",
    end: "rebooting",
    facts: { hasCoreDump: true },
  },
  {
    name: "debugger's stub",
    text: lines(
      "Guru Meditation Error: Core  0 panic'ed (StoreProhibited). Exception was unhandled.",
      "Entering gdb stub now.",
      "$T0b#e6",
    ),
    kind: "store-prohibited",
    end: "halted",
  },
  {
    name: "ESP8266 exception",
    text: lines(
      "",
      "--------------- CUT HERE FOR EXCEPTION DECODER ---------------",
      "",
      "Exception (28):",
      "epc1=0x40201a2c epc2=0x00000000 epc3=0x00000000 excvaddr=0x00000008 depc=0x00000000",
      ">>>stack>>>",
      "3ffffd90:  3ffe84f4 00000000 3ffee2a8 40201a1f",
      "<<<stack<<<",
      "",
      " ets Jan  8 2013,rst cause:2, boot mode:(3,6)",
    ),
    kind: "load-prohibited",
    end: "restarted",
    facts: { programCounter: 0x40201a2c },
  },
  {
    name: "ESP8266 RTOS exception",
    text: lines(
      "Fatal exception (29): ",
      "epc1=0x40219b34",
      "",
      " ets Jan  8 2013,rst cause:1, boot mode:(3,7)",
    ),
    kind: "store-prohibited",
    end: "restarted",
  },
  {
    name: "ESP8266 software watchdog",
    text: lines(
      "",
      "Soft WDT reset",
      "",
      ">>>stack>>>",
      "<<<stack<<<",
      "",
      " ets Jan  8 2013,rst cause:2, boot mode:(3,6)",
    ),
    kind: "software-watchdog",
    end: "restarted",
  },
  {
    name: "MicroPython traceback",
    text: lines(
      "Traceback (most recent call last):",
      '  File "main.py", line 41, in <module>',
      '  File "bus.py", line 7, in measure',
      "OSError: [Errno 19] ENODEV",
      ">>> ",
    ),
    kind: "traceback",
    end: "went-on",
    facts: { source: { file: "bus.py", line: 7 }, cause: "OSError: [Errno 19] ENODEV" },
  },
  {
    name: "Zephyr fatal error",
    text: lines(
      "[00:00:03.120,000] <err> os: >>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0",
      "[00:00:03.121,000] <err> os: Halting system",
    ),
    kind: "cpu-exception",
    end: "halted",
  },
];

/* Interrupts, and faults as panics. */
#include "machine.h"
#include "rom.h"

#include <string.h>

#define WATCHDOG_US 2000000u
#define STACK_WORDS 32u

static const char *const KINDS[] = {
    "Instruction address misaligned", "Instruction access fault", "Illegal instruction", "Breakpoint",
    "Load address misaligned",        "Load access fault",        "Store address misaligned", "Store access fault"};

static bool is_aborting;
static volatile bool is_endless = true;

void virt_feed_watchdog(void) { virt_alarm(virt_ticks() + (uint64_t)WATCHDOG_US * TICKS_PER_US); }

static uint32_t csr_mstatus(void) {
  uint32_t value;
  __asm__ volatile("csrr %0, mstatus" : "=r"(value));
  return value;
}

static const char *kind_of(uint32_t cause, uint32_t address) {
  bool is_in_guard = address - STACK_GUARD_AT < STACK_GUARD_BYTES;
  if ((cause == 5 || cause == 7) && is_in_guard) {
    return "Stack protection fault";
  }
  return cause < sizeof KINDS / sizeof KINDS[0] ? KINDS[cause] : "Unknown exception";
}

static void panic(const uint32_t *frame, uint32_t cause, bool is_watchdog) __attribute__((noreturn));
static void panic(const uint32_t *frame, uint32_t cause, bool is_watchdog) {
  static rom_panic report;
  rom_registers *registers = &report.registers;
  report.is_watchdog = is_watchdog;
  report.up_ms = (uint32_t)(hal_now_us() / 1000);
  memcpy(registers->x, frame, sizeof registers->x);
  registers->pc = frame[0];
  registers->mcause = cause;
  registers->mstatus = csr_mstatus();
  __asm__ volatile("csrr %0, mtvec" : "=r"(registers->mtvec));
  __asm__ volatile("csrr %0, mtval" : "=r"(registers->mtval));
  report.kind = is_aborting || is_watchdog ? NULL : kind_of(cause, registers->mtval);
  uint32_t stack = registers->x[2];
  if (stack >= STACK_GUARD_AT + STACK_GUARD_BYTES && stack < STACK_TOP && stack % 4 == 0) {
    report.stack = (const uint32_t *)stack;
    report.stack_words = (STACK_TOP - stack) / 4 < STACK_WORDS ? (STACK_TOP - stack) / 4 : STACK_WORDS;
  }
  virt_retained *retained = RETAINED;
  retained->has_crash = true;
  retained->crash.pc = registers->pc;
  strncpy(retained->crash.kind, is_watchdog ? "Task watchdog" : report.kind == NULL ? "abort" : report.kind,
          sizeof retained->crash.kind - 1);
  rom_print_panic(virt_print, &report);
  virt_restart(is_watchdog ? "TG0_WDT_RESET" : "PANIC");
}

void virt_trap(uint32_t *frame);
void virt_trap(uint32_t *frame) {
  uint32_t cause;
  __asm__ volatile("csrr %0, mcause" : "=r"(cause));
  if (cause == 0x8000000bu) {
    uint32_t claimed = *register32(PLIC_AT + 0x200004);
    if (claimed == UART_INTERRUPT) {
      virt_uart_interrupt();
    }
    *register32(PLIC_AT + 0x200004) = claimed;
    return;
  }
  panic(frame, cause, cause == 0x80000007u);
}

/* A locked entry without permissions holds for machine mode, too: the page under the stack cannot be touched. */
static void guard_stack(void) {
  uint32_t range = (STACK_GUARD_AT >> 2) | ((STACK_GUARD_BYTES >> 3) - 1);
  uint32_t entry = 0x80u | 0x18u; /* locked, naturally aligned power of two */
  __asm__ volatile("csrw pmpaddr0, %0\n csrw pmpcfg0, %1" ::"r"(range), "r"(entry));
}

void virt_watch_faults(void) {
  guard_stack();
  virt_feed_watchdog();
  __asm__ volatile("csrs mie, %0" ::"r"(1u << 7 | 1u << 11));
  __asm__ volatile("csrsi mstatus, 8" ::: "memory");
}

bool hal_last_crash(hal_crash_record *record) {
  *record = RETAINED->last_crash;
  return RETAINED->had_crash;
}

static unsigned recurse(unsigned depth) {
  volatile unsigned char room[256];
  room[depth % sizeof room] = (unsigned char)depth;
  return is_endless ? recurse(depth + 1) + room[depth % sizeof room] : depth;
}

void hal_crash(const char *kind) {
  if (strcmp(kind, "load-fault") == 0 || strcmp(kind, "half-frame") == 0) {
    (void)*register32(0x00050000u); /* nothing is there */
  } else if (strcmp(kind, "illegal-instruction") == 0) {
    __asm__ volatile(".word 0xffffffff");
  } else if (strcmp(kind, "stack-overflow") == 0) {
    recurse(0);
  } else if (strcmp(kind, "hang") == 0) {
    while (is_endless) {
    }
  } else if (strcmp(kind, "silent") == 0) {
    RETAINED->is_silent = true;
    virt_restart("PANIC");
  }
  is_aborting = true;
  __asm__ volatile("ebreak");
  __builtin_unreachable();
}

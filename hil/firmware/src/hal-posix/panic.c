/* Faults of the process as panics of the board, and the watchdog. Everything here runs in signal handlers on a stack of its own. */
#define _GNU_SOURCE
#include "board.h"
#include "rom.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define WATCHDOG_S 2
#define ALTERNATE_STACK_BYTES 65536u
#define STACK_WORDS 32u
#define GUARD_BYTES 1048576u /* a fault this near to the stack pointer is the stack's */

#define NO_SANITIZER __attribute__((noinline, no_sanitize("address", "undefined")))

/* Volatile, so that the compiler can neither see the fault nor leave it out. */
static volatile uintptr_t nowhere = 8;
static volatile bool is_endless = true;
static uint32_t abort_pc; /* of who called abort(), which itself is in the C library; 0: not known */

static uint64_t cpu_at_feed_ns;

static uint64_t cpu_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

void posix_feed_watchdog(void) {
  static const struct itimerval period = {.it_value = {.tv_sec = WATCHDOG_S}};
  cpu_at_feed_ns = cpu_ns();
  setitimer(ITIMER_REAL, &period, NULL);
}

void posix_rest_watchdog(void) {
  static const struct itimerval never = {0};
  setitimer(ITIMER_REAL, &never, NULL);
}

/* Maps what the host's processor has to the names a RISC-V panic prints; addresses are cut to 32 bits. */
static uint64_t fill_registers(rom_registers *registers, const ucontext_t *context) {
#if defined(__x86_64__)
  const greg_t *from = context->uc_mcontext.gregs;
  static const int order[] = {REG_RBX, REG_RDI, REG_RSI, REG_RDX, REG_RCX, REG_R8, REG_R9, REG_RAX};
  static const unsigned to[] = {9, 10, 11, 12, 13, 14, 15, 16};
  registers->pc = (uint32_t)from[REG_RIP];
  registers->x[2] = (uint32_t)from[REG_RSP];
  registers->x[8] = (uint32_t)from[REG_RBP];
  for (unsigned n = 0; n < sizeof order / sizeof order[0]; n++) {
    registers->x[to[n]] = (uint32_t)from[order[n]];
  }
  return (uint64_t)from[REG_RSP];
#elif defined(__aarch64__)
  registers->pc = (uint32_t)context->uc_mcontext.pc;
  registers->x[1] = (uint32_t)context->uc_mcontext.regs[30];
  registers->x[2] = (uint32_t)context->uc_mcontext.sp;
  for (unsigned n = 0; n < 8; n++) {
    registers->x[10 + n] = (uint32_t)context->uc_mcontext.regs[n];
  }
  return context->uc_mcontext.sp;
#else
  (void)context;
  (void)registers;
  return 0;
#endif
}

static const char *kind_of(int number, const siginfo_t *info, uint64_t stack_pointer) {
  uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
  bool is_near_stack = address + GUARD_BYTES > stack_pointer && address < stack_pointer + GUARD_BYTES;
  switch (number) {
    case SIGSEGV:
    case SIGBUS:
      return is_near_stack ? "Stack protection fault" : "Load access fault";
    case SIGFPE:
      return "Integer divide by zero";
    case SIGILL:
      return "Illegal instruction";
    default:
      return NULL;
  }
}

/* A stack that overflowed has nothing to read below it, but from the stack pointer upwards there is. */
NO_SANITIZER static void copy_stack(uint32_t *words, uint64_t stack_pointer) {
  const volatile uint32_t *from = (const volatile uint32_t *)(uintptr_t)stack_pointer;
  for (unsigned n = 0; n < STACK_WORDS; n++) {
    words[n] = from[n];
  }
}

static void remember_crash(const char *kind, uint32_t pc) {
  posix_retained *header = posix_retained_header();
  header->has_crash = true;
  header->crash.pc = pc;
  strncpy(header->crash.kind, kind, sizeof header->crash.kind - 1);
}

static void on_fault(int number, siginfo_t *info, void *context) {
  static uint32_t stack[STACK_WORDS];
  if (number == SIGALRM && cpu_ns() - cpu_at_feed_ns < 200000000u) {
    posix_feed_watchdog(); /* the process was stopped or starved, it does not hang */
    return;
  }
  rom_panic panic = {.is_watchdog = number == SIGALRM, .up_ms = (uint32_t)(hal_now_us() / 1000), .stack = stack};
  uint64_t stack_pointer = fill_registers(&panic.registers, context);
  panic.kind = kind_of(number, info, stack_pointer);
  if (number == SIGABRT && abort_pc != 0) {
    panic.registers.pc = abort_pc;
  }
  if (panic.kind == NULL || strcmp(panic.kind, "Stack protection fault") != 0) {
    copy_stack(stack, stack_pointer);
    panic.stack_words = STACK_WORDS;
  }
  panic.registers.mtval = (uint32_t)(uintptr_t)info->si_addr;
  remember_crash(panic.is_watchdog ? "Task watchdog" : panic.kind == NULL ? "abort" : panic.kind, panic.registers.pc);
  rom_print_panic(posix_print, &panic);
  posix_restart(panic.is_watchdog ? "TG0_WDT_RESET" : "PANIC");
}

/* SIGUSR1 is the EN pin. */
static void on_reset(int number) {
  (void)number;
  posix_restart("POWERON");
}

void posix_watch_faults(void) {
  static uint8_t alternate[ALTERNATE_STACK_BYTES];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  for (unsigned n = 0; n < sizeof faults / sizeof faults[0]; n++) {
    sigaction(faults[n], &action, NULL);
  }
  struct sigaction reset = {.sa_handler = on_reset, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &reset, NULL);
  signal(SIGPIPE, SIG_IGN);
  posix_feed_watchdog();
}

static struct {
  bool is_there;
  hal_crash_record record;
} last_crash;

/* Of the run before this one only: the next restart shall not tell it again. */
void posix_take_last_crash(void) {
  posix_retained *header = posix_retained_header();
  last_crash.is_there = header->has_crash;
  last_crash.record = header->crash;
  header->has_crash = false;
  memset(&header->crash, 0, sizeof header->crash);
}

bool hal_last_crash(hal_crash_record *record) {
  *record = last_crash.record;
  return last_crash.is_there;
}

NO_SANITIZER static void load_fault(void) { (void)*(volatile uint32_t *)nowhere; }

NO_SANITIZER static void illegal_instruction(void) {
#if defined(__x86_64__)
  __asm__ volatile("ud2");
#else
  raise(SIGILL);
#endif
}

NO_SANITIZER static unsigned recurse(unsigned depth) {
  volatile unsigned char room[512];
  room[depth % sizeof room] = (unsigned char)depth;
  return is_endless ? recurse(depth + 1) + room[depth % sizeof room] : depth;
}

void hal_crash(const char *kind) {
  if (strcmp(kind, "load-fault") == 0 || strcmp(kind, "half-frame") == 0) {
    load_fault();
  } else if (strcmp(kind, "illegal-instruction") == 0) {
    illegal_instruction();
  } else if (strcmp(kind, "stack-overflow") == 0) {
    recurse(0);
  } else if (strcmp(kind, "hang") == 0) {
    while (is_endless) {
    }
  } else if (strcmp(kind, "silent") == 0) {
    posix_retained_header()->is_silent = true;
    posix_restart("PANIC");
  }
  abort_pc = (uint32_t)(uintptr_t)__builtin_return_address(0);
  abort();
}

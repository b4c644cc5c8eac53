#include "machine.h"

#include <string.h>

#define MTIMECMP (CLINT_AT + 0x4000u)
#define MTIME (CLINT_AT + 0xbff8u)

uint64_t virt_ticks(void) {
  uint32_t high, low;
  do {
    high = *register32(MTIME + 4);
    low = *register32(MTIME);
  } while (high != *register32(MTIME + 4));
  return (uint64_t)high << 32 | low;
}

/* High word first to all ones, so that no moment in between looks due. */
void virt_alarm(uint64_t ticks) {
  *register32(MTIMECMP + 4) = UINT32_MAX;
  *register32(MTIMECMP) = (uint32_t)ticks;
  *register32(MTIMECMP + 4) = (uint32_t)(ticks >> 32);
}

uint64_t hal_now_us(void) { return (virt_ticks() - RETAINED->started_ticks) / TICKS_PER_US; }

void virt_restart(const char *reason) {
  memset(RETAINED->next_reason, 0, sizeof RETAINED->next_reason);
  strncpy(RETAINED->next_reason, reason, sizeof RETAINED->next_reason - 1);
  *register32(SYSCON_AT) = 0x7777; /* FINISHER_RESET */
  for (;;) {
    __asm__ volatile("wfi");
  }
}

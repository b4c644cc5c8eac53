/* What an ESP32-C3 says on its serial line around a start and a panic, for machines that have no ROM to say it. */
#ifndef FLEETRIG_ROM_H
#define FLEETRIG_ROM_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*rom_put)(const char *text);

/* `reason` as in hal_reset_reason. */
void rom_print_boot(rom_put put, const char *reason);
/* No slot can run: the ROM says so for ever; this is one time. */
void rom_print_invalid(rom_put put, uint32_t magic);
/* The slot that the loader took; -1 prints nothing. */
void rom_print_slot(rom_put put, int slot);

/* Registers of RISC-V: x1 to x31, and what the trap left in the CSRs. */
typedef struct {
  uint32_t pc, x[32];
  uint32_t mstatus, mtvec, mcause, mtval;
} rom_registers;

typedef struct {
  const char *kind;     /* such as "Load access fault"; NULL: abort() */
  bool is_watchdog;     /* the task watchdog's words instead */
  uint32_t up_ms;
  rom_registers registers;
  const uint32_t *stack; /* words from the stack pointer on */
  unsigned stack_words;
} rom_panic;

void rom_print_panic(rom_put put, const rom_panic *panic);

#endif

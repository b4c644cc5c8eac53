/* QEMU's `virt` board as this firmware uses it, and what boot loader and firmware tell each other over restarts. */
#ifndef FLEETRIG_VIRT_MACHINE_H
#define FLEETRIG_VIRT_MACHINE_H

#include "hal.h"

/* Memory map: the loader's 64 KiB, the image, the stack with its guard, and above it, outside of every ELF segment
 * (QEMU writes those again at each reset), what survives restarts. QEMU's device tree lies above that. */
#define IMAGE_AT 0x80010000u
#define STACK_GUARD_AT 0x80400000u
#define STACK_GUARD_BYTES 4096u
#define STACK_TOP 0x80410000u
#define RETAINED_AT 0x80500000u
#define RETAINED_HEADER_BYTES 4096u
#define RETAINED_BYTES 8192u

#define UART_AT 0x10000000u
#define UART_INTERRUPT 10u
#define PLIC_AT 0x0c000000u
#define CLINT_AT 0x02000000u
#define SYSCON_AT 0x00100000u
#define CLOCK_AT 0x00101000u /* goldfish RTC: nanoseconds of the world */
#define FLASH_AT 0x22000000u /* pflash unit 1 */
#define TICKS_PER_US 10u

#define RETAINED_MAGIC 0x54455246u

typedef struct {
  uint32_t magic;
  char next_reason[24]; /* written before a restart of our own; empty: somebody pulled EN */
  char reason[24];      /* of this run */
  bool is_silent;       /* the next start says nothing before the firmware does */
  bool has_crash, had_crash;
  hal_crash_record crash, last_crash;
  int32_t slot;
  uint32_t starts;
  uint64_t started_ticks;
} virt_retained;

#define RETAINED ((virt_retained *)RETAINED_AT)

static inline volatile uint8_t *register8(uint32_t at) { return (volatile uint8_t *)at; }
static inline volatile uint32_t *register32(uint32_t at) { return (volatile uint32_t *)at; }

uint64_t virt_ticks(void);
void virt_alarm(uint64_t ticks); /* when the timer interrupt is pending */
void virt_restart(const char *reason) __attribute__((noreturn));

void virt_uart_start(void);
void virt_uart_listen(void);    /* interrupts from now on */
void virt_uart_interrupt(void);
bool virt_uart_has_input(void);
void virt_uart_discard(void);
void virt_print(const char *text); /* polled, for the texts of ROM and panic */

void virt_watch_faults(void);
void virt_feed_watchdog(void);

#endif

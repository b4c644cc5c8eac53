/* The board as a machine in QEMU: RV32IMC, as an ESP32-C3 has, without its peripherals. */
#include "machine.h"
#include "main.h"

#include <string.h>

#define DAY_TICKS (86400ull * 1000000u * TICKS_PER_US)

void virt_main(void);
void virt_main(void) {
  virt_uart_start();
  virt_uart_listen();
  virt_watch_faults();
  firmware_main();
}

const char *hal_chip(void) { return "rv32-virt"; }

const char *hal_reset_reason(void) { return RETAINED->reason; }

/* Time of the world and of the machine, and how often it started, through a mixer of 32 bits. */
uint32_t hal_random(void) {
  static uint32_t drawn;
  uint32_t value = *register32(CLOCK_AT) ^ (uint32_t)virt_ticks() * 0x9e3779b1u ^ RETAINED->starts * 0x85ebca6bu;
  value += ++drawn * 0xc2b2ae35u;
  value = (value ^ value >> 16) * 0x7feb352du;
  value = (value ^ value >> 15) * 0x846ca68bu;
  return value ^ value >> 16;
}

/* With interrupts off, wfi still ends when one is pending. It is taken after the watchdog was fed: the alarm that woke us is the watchdog's own. */
void hal_wait(uint64_t due_us) {
  __asm__ volatile("csrci mstatus, 8" ::: "memory");
  uint64_t now = virt_ticks();
  uint64_t due = due_us > UINT64_MAX / (2 * TICKS_PER_US) ? UINT64_MAX : RETAINED->started_ticks + due_us * TICKS_PER_US;
  if (due > now && !virt_uart_has_input()) {
    virt_alarm(due < now + DAY_TICKS ? due : now + DAY_TICKS);
    __asm__ volatile("wfi" ::: "memory");
  }
  virt_feed_watchdog();
  __asm__ volatile("csrsi mstatus, 8" ::: "memory");
}

void hal_restart(void) { virt_restart("SW_CPU_RESET"); }

/* Nothing is answered and nothing remembered of what comes in meanwhile. */
void hal_deep_sleep(uint64_t us) {
  __asm__ volatile("csrci mstatus, 8" ::: "memory");
  uint64_t until = virt_ticks() + us * TICKS_PER_US;
  virt_alarm(until);
  while (virt_ticks() < until) {
    __asm__ volatile("wfi" ::: "memory");
    virt_uart_discard();
    uint32_t claimed = *register32(PLIC_AT + 0x200004);
    *register32(PLIC_AT + 0x200004) = claimed;
  }
  virt_restart("DEEPSLEEP");
}

void *hal_retained(size_t *capacity) {
  *capacity = RETAINED_BYTES;
  return (void *)(RETAINED_AT + RETAINED_HEADER_BYTES);
}

static bool levels[64];

void hal_gpio_write(int pin, bool level) {
  if (pin >= 0 && pin < 64) {
    levels[pin] = level;
  }
}

bool hal_gpio_read(int pin) { return pin >= 0 && pin < 64 && levels[pin]; }

int hal_adc_millivolts(int channel) { return channel >= 0 && channel < 6 ? 1650 : -1; }

/* No network: the machine's own is the bench's tunnel. */
bool hal_net_available(void) { return false; }
bool hal_net_open(const hal_net_target *target) {
  (void)target;
  return false;
}
hal_net_state hal_net_poll(void) { return HAL_NET_DOWN; }
const char *hal_net_error(void) { return "this board has no network"; }
size_t hal_net_read(uint8_t *bytes, size_t capacity) {
  (void)bytes;
  (void)capacity;
  return 0;
}
size_t hal_net_write(const uint8_t *bytes, size_t length) {
  (void)bytes;
  (void)length;
  return 0;
}
void hal_net_close(bool in_order) { (void)in_order; }

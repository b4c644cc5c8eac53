/* The second stage boot loader: says what the ROM says, takes a slot, copies its image to RAM and jumps into it. */
#include "boot_slots.h"
#include "machine.h"
#include "rom.h"

#include <string.h>

#define INVALID_PAUSE_US 300000u

static void wait_us(uint64_t us) {
  uint64_t until = virt_ticks() + us * TICKS_PER_US;
  virt_alarm(until);
  __asm__ volatile("csrs mie, %0" ::"r"(1u << 7)); /* the timer ends wfi; no trap is taken */
  while (virt_ticks() < until) {
    __asm__ volatile("wfi");
  }
  __asm__ volatile("csrw mie, zero");
}

/* What the last run left. RAM that was just powered has no magic; a reset without a reason of ours was pulled from outside. */
static void take_over_retained(uint64_t ticks) {
  virt_retained *retained = RETAINED;
  if (retained->magic != RETAINED_MAGIC) {
    memset((void *)RETAINED_AT, 0, RETAINED_HEADER_BYTES + RETAINED_BYTES);
    retained->magic = RETAINED_MAGIC;
  }
  retained->started_ticks = ticks;
  retained->starts++;
  memset(retained->reason, 0, sizeof retained->reason);
  strcpy(retained->reason, retained->next_reason[0] != 0 ? retained->next_reason : "POWERON");
  memset(retained->next_reason, 0, sizeof retained->next_reason);
  retained->had_crash = retained->has_crash;
  retained->last_crash = retained->crash;
  retained->has_crash = false;
  memset(&retained->crash, 0, sizeof retained->crash);
}

void virt_main(void);
void virt_main(void) {
  take_over_retained(virt_ticks());
  virt_uart_start();
  bool is_silent = RETAINED->is_silent;
  RETAINED->is_silent = false;
  if (!is_silent) {
    rom_print_boot(virt_print, RETAINED->reason);
  }
  int slot = boot_choose();
  while (slot < 0) {
    uint32_t magic = UINT32_MAX;
    hal_slot_read(0, 0, &magic, sizeof magic);
    rom_print_invalid(virt_print, magic);
    wait_us(INVALID_PAUSE_US);
    virt_uart_discard();
  }
  RETAINED->slot = slot;
  if (!is_silent) {
    rom_print_slot(virt_print, slot);
  }
  boot_image image;
  hal_slot_read(slot, 0, &image, sizeof image);
  hal_slot_read(slot, 0, (void *)IMAGE_AT, image.size);
  __asm__ volatile("fence.i" ::: "memory");
  ((void (*)(void))image.entry)();
}

#include "rom.h"

#include "boot_slots.h"
#include "hal.h"

#include <stdio.h>
#include <string.h>

/* Codes and words of the ESP32-C3's ROM; the same code is what esp_rom_get_reset_reason would return. */
static const struct {
  const char *reason, *word;
  unsigned code;
} REASONS[] = {
    {"POWERON", "POWERON", 1},
    {"SW_CPU_RESET", "RTC_SW_CPU_RST", 12},
    {"PANIC", "RTC_SW_CPU_RST", 12},
    {"DEEPSLEEP", "DSLEEP", 5},
    {"TG0_WDT_RESET", "TG0WDT_SYS_RST", 7},
};

static const char *const NAMES[32] = {"MEPC", "RA", "SP", "GP", "TP", "T0", "T1", "T2", "S0/FP", "S1", "A0",
                                      "A1",   "A2", "A3", "A4", "A5", "A6", "A7", "S2", "S3",    "S4", "S5",
                                      "S6",   "S7", "S8", "S9", "S10", "S11", "T3", "T4", "T5", "T6"};

void rom_print_boot(rom_put put, const char *reason) {
  unsigned n = 0;
  for (unsigned k = 0; k < sizeof REASONS / sizeof REASONS[0]; k++) {
    n = strcmp(REASONS[k].reason, reason) == 0 ? k : n;
  }
  char text[96];
  put("ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n");
  snprintf(text, sizeof text, "rst:0x%x (%s),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n", REASONS[n].code, REASONS[n].word);
  put(text);
}

void rom_print_invalid(rom_put put, uint32_t magic) {
  char text[48];
  snprintf(text, sizeof text, "invalid header: 0x%08lx\r\n", (unsigned long)magic);
  put(text);
}

void rom_print_slot(rom_put put, int slot) {
  static boot_slot found;
  char text[128];
  boot_slot_look(slot, false, &found);
  snprintf(text, sizeof text, "I (%lu) boot: Loaded app from slot %d, version %s%s\r\n", (unsigned long)(hal_now_us() / 1000),
           slot, found.image.version, found.is_confirmed ? "" : ", unconfirmed");
  put(text);
}

static void print_register(rom_put put, const char *name, uint32_t value, bool is_last) {
  char text[40];
  snprintf(text, sizeof text, "%-8s: 0x%08lx  %s", name, (unsigned long)value, is_last ? "\r\n" : "");
  put(text);
}

static void print_registers(rom_put put, const rom_registers *registers) {
  put("Core  0 register dump:\r\n");
  for (unsigned n = 0; n < 32; n++) {
    print_register(put, NAMES[n], n == 0 ? registers->pc : registers->x[n], n % 4 == 3);
  }
  print_register(put, "MSTATUS", registers->mstatus, false);
  print_register(put, "MTVEC", registers->mtvec, false);
  print_register(put, "MCAUSE", registers->mcause, false);
  print_register(put, "MTVAL", registers->mtval, true);
  print_register(put, "MHARTID", 0, true);
}

static void print_stack(rom_put put, const rom_panic *panic) {
  char text[24];
  put("\r\nStack memory:\r\n");
  for (unsigned n = 0; n < panic->stack_words; n++) {
    if (n % 8 == 0) {
      snprintf(text, sizeof text, "%08lx: ", (unsigned long)(panic->registers.x[2] + 4 * n));
      put(text);
    }
    snprintf(text, sizeof text, "0x%08lx%s", (unsigned long)panic->stack[n], n % 8 == 7 ? "\r\n" : " ");
    put(text);
  }
}

static void print_hash(rom_put put) {
  static boot_slot running;
  char text[8];
  boot_slot_look(hal_slot_running(), false, &running);
  put("\r\n\r\nELF file SHA256: ");
  for (unsigned n = 0; n < 8; n++) {
    snprintf(text, sizeof text, "%02x", running.image.elf_sha256[n]);
    put(text);
  }
}

void rom_print_panic(rom_put put, const rom_panic *panic) {
  char text[128];
  unsigned long up_ms = panic->up_ms, pc = panic->registers.pc;
  put("\r\n");
  if (panic->is_watchdog) {
    snprintf(text, sizeof text, "E (%lu) task_wdt: Task watchdog got triggered. ", up_ms);
    put(text);
    put("The following tasks/users did not reset the watchdog in time:\r\n");
    snprintf(text, sizeof text, "E (%lu) task_wdt:  - main (CPU 0)\r\nE (%lu) task_wdt: Aborting.\r\n", up_ms, up_ms);
    put(text);
  }
  if (panic->is_watchdog || panic->kind == NULL) {
    snprintf(text, sizeof text, "abort() was called at PC 0x%08lx on core 0\r\n", pc);
  } else {
    snprintf(text, sizeof text, "Guru Meditation Error: Core  0 panic'ed (%s). Exception was unhandled.\r\n\r\n", panic->kind);
  }
  put(text);
  print_registers(put, &panic->registers);
  print_stack(put, panic);
  print_hash(put);
  put("\r\n\r\nRebooting...\r\n");
}

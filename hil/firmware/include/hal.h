/* What the firmware needs of the machine it runs on. One implementation per machine: src/hal-virt (QEMU riscv32
 * `virt`), src/hal-posix (a process), src/hal-espidf (ESP-IDF; compiled against headers only, never run by this project).
 * Nothing here blocks except hal_wait. All of it is called from one thread. */
#ifndef FLEETRIG_HAL_H
#define FLEETRIG_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identity, constant while the board runs. `mac` and `chip` are static strings. */
const char *hal_chip(void);
const char *hal_mac(void); /* 12 lower-case hexadecimal digits */
/* Why the board started: the ROM's word, such as POWERON, SW_CPU_RESET, DEEPSLEEP, TG0_WDT_RESET, PANIC. */
const char *hal_reset_reason(void);

uint64_t hal_now_us(void);  /* since the board started; never steps back */
uint32_t hal_random(void);  /* unpredictable enough for a boot id */

/* Serial line. Read and write take what fits and return how much; 0 is no error. */
size_t hal_serial_read(uint8_t *bytes, size_t capacity);
size_t hal_serial_write(const uint8_t *bytes, size_t length);
/* When the first byte of what hal_serial_read returned last came in. */
uint64_t hal_serial_arrival_us(void);
bool hal_serial_is_idle(void); /* everything written has left the board */

/* Sleeps until input may be there (serial, network) or until `due_us`. Feeds the watchdog. */
void hal_wait(uint64_t due_us);

/* Ends of this run of the board; none returns. */
void hal_restart(void) __attribute__((noreturn));
void hal_deep_sleep(uint64_t us) __attribute__((noreturn));
/* Commits the fault of that name (command `crash`), so that the machine panics as ESP-IDF does on RISC-V and restarts with reset
 * reason PANIC, or TG0_WDT_RESET after `hang`. `silent` restarts without a word. Others than PROTOCOL.md names abort. */
void hal_crash(const char *kind) __attribute__((noreturn));
/* The crash that ended the run before this one; false: it did not crash. `kind` is what the panic said, such as `Load access fault`. */
typedef struct {
  char kind[32];
  uint32_t pc;
} hal_crash_record;
bool hal_last_crash(hal_crash_record *record);

/* Memory that survives every restart except a power cut; zero after one. At least 1 KiB. */
void *hal_retained(size_t *capacity);

/* Flash for data: one region of `hal_flash_size()` bytes in sectors of 4096. Erase sets to FF, write clears bits. */
size_t hal_flash_size(void);
bool hal_flash_read(size_t offset, void *bytes, size_t length);
bool hal_flash_write(size_t offset, const void *bytes, size_t length);
bool hal_flash_erase(size_t offset, size_t length); /* whole sectors */

/* Two slots for firmware images and what the boot loader knows of them (see boot.h). */
size_t hal_slot_size(void);
int hal_slot_running(void); /* 0 or 1 */
bool hal_slot_erase(int slot);
bool hal_slot_write(int slot, size_t offset, const void *bytes, size_t length);
bool hal_slot_read(int slot, size_t offset, void *bytes, size_t length);

/* Pins and analogue inputs; machines without them keep what was set. */
void hal_gpio_write(int pin, bool level);
bool hal_gpio_read(int pin);
int hal_adc_millivolts(int channel); /* -1: no such channel */

/* Path `direct`: one TCP or TLS connection. Machines without a network answer false to hal_net_available. */
typedef struct {
  const char *host, *server_name; /* server_name: for SNI and the certificate's check; NULL: plain TCP */
  uint16_t port;
  const char *ca_pem, *cert_pem, *key_pem; /* cert and key may be NULL */
} hal_net_target;
typedef enum { HAL_NET_DOWN, HAL_NET_OPENING, HAL_NET_UP, HAL_NET_REFUSED, HAL_NET_LOST } hal_net_state;
bool hal_net_available(void);
bool hal_net_open(const hal_net_target *target);
hal_net_state hal_net_poll(void); /* advances handshakes; LOST and REFUSED until closed */
const char *hal_net_error(void);  /* why it was refused or lost; static string */
size_t hal_net_read(uint8_t *bytes, size_t capacity);
size_t hal_net_write(const uint8_t *bytes, size_t length);
void hal_net_close(bool in_order);

#endif

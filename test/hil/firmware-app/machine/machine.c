/* A machine for the device logic in which time stands still until it is told to go on: hal.h and link.h on two pipes. A line comes in,
 * lines go out, `.` with the next due time ends them. Flash and retained memory are a mapped file, a restart is execv.
 *
 *   in   T<us> time goes on | C<json> control message | N<hex> tunnelled bytes | O link opens | X link closes | K power cut
 *        F<n> bytes that every server sends: CONNACK, then PINGRESPs | Z reset by EN | B<n> power fails after n more bytes of flash | R<n> room of the link
 *   out  c<json> | n<hex> | l<log line> | r<reason> <hello> it has restarted | h<reason> <hello> | .<us> done */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app.h"
#include "boot_slots.h"
#include "hal.h"
#include "link.h"
#include "storage.h"

enum { READS_MAX = 64, SLOT_BYTES = 1 << 18, DATA_BYTES = 1 << 18, RETAINED_BYTES = 8192, LINE_MAX_BYTES = 1 << 17 };

typedef struct {
  uint8_t slots[2][SLOT_BYTES], data[DATA_BYTES];
  uint8_t retained[RETAINED_BYTES];
  char reason[32];
  uint32_t is_made, boots;
  int64_t power_budget; /* bytes of flash until power fails; -1: never */
} machine;

static machine *state;
static char **arguments;
static uint64_t now_us;
static int running;
static bool is_open;
static size_t room = 65536;
static link_counters counters;
static bool pins[64];
static size_t flood_bytes, flood_at;
static hal_net_state net_state;
static unsigned reads; /* in this call of app_poll */

static void again(const char *reason) {
  snprintf(state->reason, sizeof state->reason, "%s", reason);
  fflush(stdout);
  execv("/proc/self/exe", arguments);
  abort();
}

static void cut_power(void) {
  memset(state->retained, 0, sizeof state->retained);
  state->power_budget = -1;
  again("POWERON");
}

const char *hal_chip(void) { return "test"; }
const char *hal_mac(void) { return "020000000001"; }
const char *hal_reset_reason(void) { return state->reason; }
uint64_t hal_now_us(void) { return now_us; }
uint32_t hal_random(void) { return 0x1234567u + state->boots * 2654435761u; }
void hal_restart(void) { again("SW_CPU_RESET"); abort(); }
void hal_deep_sleep(uint64_t us) { (void)us; again("DEEPSLEEP"); abort(); }
void hal_crash(const char *kind) { (void)kind; again("PANIC"); abort(); }

void *hal_retained(size_t *capacity) {
  *capacity = sizeof state->retained;
  return state->retained;
}

/* Flash programs byte by byte, so a power cut may come between any two. */
static bool program(uint8_t *to, const void *bytes, size_t length) {
  for (size_t i = 0; i < length; i += 1) {
    if (state->power_budget >= 0 && state->power_budget-- == 0) cut_power();
    to[i] &= ((const uint8_t *)bytes)[i];
  }
  return true;
}

static bool erase(uint8_t *from, size_t length) {
  for (size_t i = 0; i < length; i += 4096) {
    if (state->power_budget >= 0 && state->power_budget-- == 0) cut_power();
    memset(from + i, 0xff, 4096);
  }
  return true;
}

size_t hal_flash_size(void) { return DATA_BYTES; }
bool hal_flash_read(size_t at, void *bytes, size_t length) {
  if (at > DATA_BYTES || length > DATA_BYTES - at) return false;
  memcpy(bytes, state->data + at, length);
  return true;
}
bool hal_flash_write(size_t at, const void *bytes, size_t length) {
  return at <= DATA_BYTES && length <= DATA_BYTES - at && program(state->data + at, bytes, length);
}
bool hal_flash_erase(size_t at, size_t length) { return at <= DATA_BYTES && length <= DATA_BYTES - at && erase(state->data + at, length); }
size_t hal_slot_size(void) { return SLOT_BYTES; }
int hal_slot_running(void) { return running; }
bool hal_slot_erase(int slot) { return erase(state->slots[slot], SLOT_BYTES); }
bool hal_slot_write(int slot, size_t at, const void *bytes, size_t length) {
  return at <= SLOT_BYTES && length <= SLOT_BYTES - at && program(state->slots[slot] + at, bytes, length);
}
bool hal_slot_read(int slot, size_t at, void *bytes, size_t length) {
  if (at > SLOT_BYTES || length > SLOT_BYTES - at) return false;
  memcpy(bytes, state->slots[slot] + at, length);
  return true;
}

void hal_gpio_write(int pin, bool level) { pins[pin] = level; }
bool hal_gpio_read(int pin) { return pins[pin]; }
int hal_adc_millivolts(int channel) { return channel < 4 ? 1000 + channel : -1; }
bool hal_net_available(void) { return true; }
bool hal_net_open(const hal_net_target *target) {
  (void)target;
  flood_at = 0;
  net_state = HAL_NET_UP;
  return true;
}
hal_net_state hal_net_poll(void) { return net_state; }
const char *hal_net_error(void) { return "unreachable"; }
size_t hal_net_read(uint8_t *bytes, size_t capacity) {
  static const uint8_t CONNACK[] = {0x20, 3, 0, 0, 0}, PINGRESP[] = {0xd0, 0};
  size_t length = 0;
  if ((reads += 1) > READS_MAX) abort(); /* everything else waits */
  for (; length < capacity && flood_at < flood_bytes; flood_at += 1)
    bytes[length++] = flood_at < sizeof CONNACK ? CONNACK[flood_at] : PINGRESP[(flood_at - sizeof CONNACK) % 2];
  return length;
}
size_t hal_net_write(const uint8_t *bytes, size_t length) {
  (void)bytes;
  return length;
}
void hal_net_close(bool in_order) {
  (void)in_order;
  net_state = HAL_NET_DOWN;
}

bool link_is_open(void) { return is_open; }
size_t link_room(void) { return is_open ? room : 0; }
bool link_send(int channel, const void *bytes, size_t length, bool is_end) {
  (void)is_end;
  if (!is_open || length > room) return false;
  if (channel == LINK_CONTROL) {
    printf("c%.*s\n", (int)length, (const char *)bytes);
    return true;
  }
  putchar('n');
  for (size_t i = 0; i < length; i += 1) printf("%02x", ((const uint8_t *)bytes)[i]);
  putchar('\n');
  return true;
}
void link_log(char level, const char *tag, const char *format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  printf("l%c (%llu) %s: %s\n", level, (unsigned long long)(now_us / 1000), tag, text);
}
void link_flush(uint64_t due_us) { (void)due_us; }
void link_break_frame(void) {}
const link_counters *link_count(void) { return &counters; }

static void open_state(const char *path) {
  const int file = open(path, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, sizeof *state) != 0) abort();
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (state == MAP_FAILED) abort();
  close(file);
  if (state->is_made) return;
  memset(state->slots, 0xff, sizeof state->slots);
  memset(state->data, 0xff, sizeof state->data);
  const int image = arguments[2] == NULL ? -1 : open(arguments[2], O_RDONLY);
  if (image >= 0 && read(image, state->slots[0], SLOT_BYTES) < 0) abort();
  if (image >= 0) close(image);
  strcpy(state->reason, "POWERON");
  state->power_budget = -1;
  state->is_made = 1;
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void take_bytes(const char *hex) {
  static uint8_t bytes[LINE_MAX_BYTES / 2];
  size_t length = 0;
  for (; hex[0] != 0 && hex[1] != 0; hex += 2) bytes[length++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
  app_received(LINK_NETWORK, bytes, length, false);
}

static uint64_t poll_once(void) {
  reads = 0;
  return app_poll(now_us);
}

static void run_until(uint64_t until_us) {
  for (;;) {
    const uint64_t due_us = poll_once();
    if (due_us > until_us) break;
    if (due_us > now_us) now_us = due_us;
  }
  if (until_us > now_us) now_us = until_us;
  /* Once more at the very end, for what looks at the time. */
  printf(".%llu\n", (unsigned long long)poll_once());
  fflush(stdout);
}

static void say_hello(char kind) {
  char hello[256];
  const size_t length = app_hello(hello, sizeof hello);
  printf("%c%s {%.*s}\n", kind, state->reason, (int)length, hello);
}

static void obey(char *line) {
  char *rest = line + 1;
  const size_t length = strcspn(rest, "\n");
  rest[length] = 0;
  uint64_t until_us = now_us;
  switch (line[0]) {
    case 'T': until_us = strtoull(rest, NULL, 10); break;
    case 'C': app_received(LINK_CONTROL, (uint8_t *)rest, length, true); break;
    case 'N': take_bytes(rest); break;
    case 'O':
      is_open = true;
      say_hello('h');
      app_link_opened(1);
      break;
    case 'X':
      is_open = false;
      app_link_closed();
      break;
    case 'K': cut_power(); break;
    case 'Z': again("POWERON"); break;
    case 'B': state->power_budget = strtoll(rest, NULL, 10); break;
    case 'F': flood_bytes = strtoul(rest, NULL, 10); break;
    case 'R': room = strtoul(rest, NULL, 10); break;
    default: break;
  }
  run_until(until_us);
}

int main(int count, char **values) {
  static char line[LINE_MAX_BYTES];
  if (count < 2) return 2;
  arguments = values;
  open_state(values[1]);
  state->boots += 1;
  running = boot_choose();
  if (running < 0) running = 0;
  link_log('I', "boot", "%s, slot %d", state->reason, running);
  storage_start();
  app_start();
  say_hello('r');
  run_until(0);
  while (fgets(line, sizeof line, stdin) != NULL) obey(line);
  return 0;
}

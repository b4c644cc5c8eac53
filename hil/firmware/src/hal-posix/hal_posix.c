/* The board as a process: the serial line is standard input and output, a restart becomes the same program again.
 *   fleetrig-board --flash FILE [--retained FILE] [--power-cycle]
 * Standard error is for messages about the command and for sanitizers; nothing of the board is written there. */
#define _GNU_SOURCE
#include "board.h"
#include "main.h"
#include "rom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES 8192u
#define RESTART_VARIABLE "FLEETRIG_BOARD_RESTART"
#define INVALID_PAUSE_US 300000u

static char **arguments;
static char reset_reason[24] = "POWERON";
static uint64_t started_us, arrival_us;

static uint64_t monotonic_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t hal_now_us(void) { return monotonic_us() - started_us; }

const char *hal_chip(void) { return "posix"; }

const char *hal_reset_reason(void) { return reset_reason; }

uint32_t hal_random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
    value = (uint32_t)monotonic_us();
  }
  return value;
}

void posix_die(const char *what, const char *which) {
  fprintf(stderr, "fleetrig-board: %s %s: %s\n", what, which, strerror(errno));
  exit(2);
}

void posix_print(const char *text) {
  size_t length = strlen(text);
  for (int tries = 0; length > 0 && tries < 100; tries++) {
    ssize_t written = write(STDOUT_FILENO, text, length);
    if (written > 0) {
      text += written;
      length -= (size_t)written;
    } else {
      struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
      poll(&room, 1, 10);
    }
  }
}

size_t hal_serial_read(uint8_t *bytes, size_t capacity) {
  ssize_t length = read(STDIN_FILENO, bytes, capacity);
  if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
    exit(0); /* the line is gone, and with it the bench: a board without power */
  }
  arrival_us = length > 0 ? hal_now_us() : arrival_us;
  return length > 0 ? (size_t)length : 0;
}

uint64_t hal_serial_arrival_us(void) { return arrival_us; }

size_t hal_serial_write(const uint8_t *bytes, size_t length) {
  ssize_t written = write(STDOUT_FILENO, bytes, length);
  if (written < 0 && errno != EAGAIN && errno != EINTR) {
    exit(0);
  }
  return written > 0 ? (size_t)written : 0;
}

bool hal_serial_is_idle(void) { return true; }

void hal_wait(uint64_t due_us) {
  bool wants_write = false;
  int network = hal_net_descriptor(&wants_write);
  struct pollfd inputs[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = network, .events = (short)(POLLIN | (wants_write ? POLLOUT : 0))}};
  uint64_t now_us = hal_now_us();
  uint64_t wait_us = due_us > now_us ? due_us - now_us : 0;
  wait_us = wait_us > 3600000000u ? 3600000000u : wait_us;
  struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000u), .tv_nsec = (long)(wait_us % 1000000u) * 1000};
  posix_rest_watchdog();
  ppoll(inputs, network >= 0 ? 2 : 1, &wait, NULL);
  posix_feed_watchdog();
}

void posix_restart(const char *reason) {
  posix_retained *header = posix_retained_header();
  memset(header->reset_reason, 0, sizeof header->reset_reason);
  strncpy(header->reset_reason, reason, sizeof header->reset_reason - 1);
  posix_rest_watchdog();
  static char variable[] = RESTART_VARIABLE "=1";
  putenv(variable);
  execv("/proc/self/exe", arguments);
  _exit(3);
}

void hal_restart(void) { posix_restart("SW_CPU_RESET"); }

static void drop_input(void) {
  uint8_t bytes[256];
  ssize_t length;
  do {
    length = read(STDIN_FILENO, bytes, sizeof bytes);
  } while (length > 0);
  if (length == 0) {
    exit(0);
  }
}

void hal_deep_sleep(uint64_t us) {
  uint64_t until_us = hal_now_us() + us;
  posix_rest_watchdog();
  for (uint64_t now_us = hal_now_us(); now_us < until_us; now_us = hal_now_us()) {
    uint64_t left_ms = (until_us - now_us) / 1000 + 1;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    poll(&input, 1, left_ms < 3600000 ? (int)left_ms : 3600000);
    drop_input();
  }
  posix_restart("DEEPSLEEP");
}

static struct {
  bool levels[64];
} pins;

void hal_gpio_write(int pin, bool level) {
  if (pin >= 0 && pin < 64) {
    pins.levels[pin] = level;
  }
}

bool hal_gpio_read(int pin) { return pin >= 0 && pin < 64 && pins.levels[pin]; }

int hal_adc_millivolts(int channel) { return channel >= 0 && channel < 6 ? 1650 : -1; }

/* Raw bytes on a terminal; never waiting on either end. */
static void prepare_serial(void) {
  struct termios line;
  if (tcgetattr(STDIN_FILENO, &line) == 0) {
    cfmakeraw(&line);
    tcsetattr(STDIN_FILENO, TCSANOW, &line);
  }
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

static void open_files(int count, char **values) {
  const char *flash = NULL, *retained = NULL;
  static char beside[4096];
  bool is_power_cycle = false;
  for (int n = 1; n < count; n++) {
    if (strcmp(values[n], "--power-cycle") == 0) {
      is_power_cycle = true;
    } else if (n + 1 < count && strcmp(values[n], "--flash") == 0) {
      flash = values[++n];
    } else if (n + 1 < count && strcmp(values[n], "--retained") == 0) {
      retained = values[++n];
    } else {
      errno = EINVAL;
      posix_die("unknown argument", values[n]);
    }
  }
  if (flash == NULL) {
    errno = EINVAL;
    posix_die("missing", "--flash FILE");
  }
  if (retained == NULL) {
    snprintf(beside, sizeof beside, "%s.retained", flash);
    retained = beside;
  }
  bool is_restart = getenv(RESTART_VARIABLE) != NULL;
  unsetenv(RESTART_VARIABLE);
  posix_flash_open(flash);
  posix_retained_open(retained, is_power_cycle && !is_restart);
  posix_retained *header = posix_retained_header();
  if (is_restart) {
    memcpy(reset_reason, header->reset_reason, sizeof reset_reason - 1);
  }
  posix_take_last_crash();
}

#if defined(__SANITIZE_ADDRESS__)
/* Faults are the board's panics; what the sanitizer itself finds ends the process with its own exit code. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:allow_user_segv_handler=1:"
         "detect_leaks=0:use_sigaltstack=0:exitcode=99";
}
#endif

int main(int count, char **values) {
  arguments = values;
  started_us = monotonic_us();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL); /* a restart out of a signal handler left its signal blocked */
  open_files(count, values);
  prepare_serial();
  posix_retained *header = posix_retained_header();
  bool is_silent = header->is_silent;
  header->is_silent = false;
  if (!is_silent) {
    rom_print_boot(posix_print, reset_reason);
  }
  posix_watch_faults();
  posix_flash_choose_slot();
  while (hal_slot_running() < 0) {
    uint32_t magic = UINT32_MAX;
    hal_slot_read(0, 0, &magic, sizeof magic);
    rom_print_invalid(posix_print, magic);
    hal_wait(hal_now_us() + INVALID_PAUSE_US);
    drop_input();
  }
  if (!is_silent) {
    rom_print_slot(posix_print, hal_slot_running());
  }
  firmware_main();
}

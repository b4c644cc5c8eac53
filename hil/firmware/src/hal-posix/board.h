/* What the files of the POSIX machine share. */
#ifndef FLEETRIG_POSIX_BOARD_H
#define FLEETRIG_POSIX_BOARD_H

#include "hal.h"

/* At the beginning of retained memory, before what the firmware gets. */
typedef struct {
  char reset_reason[24];
  bool is_silent; /* the next start says nothing before the firmware does */
  bool has_crash;
  hal_crash_record crash;
} posix_retained;

posix_retained *posix_retained_header(void);

/* Flash in a file; both end the process with a message if the file cannot be had. */
void posix_flash_open(const char *path);
void posix_retained_open(const char *path, bool is_power_cycle);
void posix_flash_choose_slot(void);

/* Becomes the same program again. Allowed in signal handlers. */
void posix_restart(const char *reason) __attribute__((noreturn));
/* Writes whole, past what waits; for texts of ROM and panic. */
void posix_print(const char *text);
void posix_die(const char *what, const char *which) __attribute__((noreturn));

void posix_watch_faults(void);
void posix_take_last_crash(void);
void posix_feed_watchdog(void);
void posix_rest_watchdog(void);

/* The socket that hal_wait shall watch, or -1; `*wants_write`: also for room. */
int hal_net_descriptor(bool *wants_write);

#endif

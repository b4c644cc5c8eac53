#include "lifecycle.h"

#include <stdbool.h>
#include <string.h>

#include "events.h"
#include "hal.h"
#include "link.h"
#include "member.h"

/* A bench on a busy machine has that long to take in what was said; without one there is only the log to get rid of. */
static const uint64_t PATIENCE_US = 2000000, ALONE_US = 300000, RETRY_US = 2000;

static enum { NOTHING, RESTART, SLEEP, CRASH } wanted;
static uint64_t deadline_us, sleep_us;
static char crash_kind[32];

static void want(int what) {
  wanted = what;
  deadline_us = hal_now_us() + (link_is_open() ? PATIENCE_US : ALONE_US);
}

void lifecycle_restart(void) { want(RESTART); }

void lifecycle_sleep(uint64_t us) {
  sleep_us = us;
  want(SLEEP);
}

void lifecycle_crash(const char *kind) {
  const size_t length = strlen(kind);
  memcpy(crash_kind, kind, length < sizeof crash_kind ? length + 1 : 0);
  want(CRASH);
}

static void end(void) {
  link_flush(deadline_us);
  memory->elapsed_us = run_us(hal_now_us());
  if (wanted == SLEEP) {
    memory->elapsed_us += (int64_t)sleep_us;
    hal_deep_sleep(sleep_us);
  }
  if (wanted == RESTART) hal_restart();
  if (strcmp(crash_kind, "half-frame") == 0) link_break_frame();
  hal_crash(crash_kind);
}

uint64_t lifecycle_poll(uint64_t now_us) {
  if (wanted == NOTHING) return UINT64_MAX;
  events_poll();
  if (events_are_waiting() && link_is_open() && now_us < deadline_us) return now_us + RETRY_US;
  end();
  return now_us;
}

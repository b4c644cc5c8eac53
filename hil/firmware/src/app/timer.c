#include "timer.h"

#include <stddef.h>

#include "hal.h"

static timer *known;

/* Firing so many in a row without looking at anything else would starve the link. */
enum { FIRED_MAX = 64 };

void timer_at(timer *timer, uint64_t due_us) {
  if (!timer->is_known) {
    timer->is_known = true;
    timer->next = known;
    known = timer;
  }
  timer->is_armed = true;
  timer->due_us = due_us;
}

void timer_after(timer *timer, uint64_t delay_us) {
  const uint64_t now_us = hal_now_us();
  timer_at(timer, delay_us > UINT64_MAX - 1 - now_us ? UINT64_MAX - 1 : now_us + delay_us);
}

void timer_cancel(timer *timer) { timer->is_armed = false; }

static timer *earliest(void) {
  timer *first = NULL;
  for (timer *each = known; each != NULL; each = each->next) {
    if (each->is_armed && (first == NULL || each->due_us < first->due_us)) first = each;
  }
  return first;
}

void timers_fire(uint64_t now_us) {
  for (int fired = 0; fired < FIRED_MAX; fired += 1) {
    timer *first = earliest();
    if (first == NULL || first->due_us > now_us) return;
    first->is_armed = false;
    first->fire();
  }
}

uint64_t timers_next_us(void) {
  const timer *first = earliest();
  return first == NULL ? UINT64_MAX : first->due_us;
}

void timers_reset(void) {
  for (timer *each = known; each != NULL; each = each->next) each->is_armed = false;
}

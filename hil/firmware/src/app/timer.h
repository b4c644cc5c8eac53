/* Timers of the device logic: a few static ones, fired from app_poll in the order in which they are due. */
#ifndef FLEETRIG_TIMER_H
#define FLEETRIG_TIMER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct timer {
  void (*fire)(void);
  uint64_t due_us;
  bool is_armed, is_known;
  struct timer *next;
} timer;

/* Arms it, or moves it. `fire` is set once, in the initialiser. */
void timer_at(timer *timer, uint64_t due_us);
void timer_after(timer *timer, uint64_t delay_us);
void timer_cancel(timer *timer);
/* Fires what is due at `now_us`, also what that arms for now. */
void timers_fire(uint64_t now_us);
/* UINT64_MAX when none is armed. */
uint64_t timers_next_us(void);
void timers_reset(void);

#endif

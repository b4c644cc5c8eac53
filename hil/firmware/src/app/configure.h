/* Which member the board is, over restarts: configuring, starting, and going on. */
#ifndef FLEETRIG_CONFIGURE_H
#define FLEETRIG_CONFIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

/* After a restart: what was configured before. */
void configure_restore(void);
/* Becomes another member, which begins when `start` comes. On failure `problem` names what is wrong. */
bool configure(json_value args, const char **problem);
/* Powers the member on. `at_us`: the instant that its times count from, on the board's clock. */
void configure_start(int64_t at_us);
/* Disconnects in order, stops telemetry. */
void configure_stop(void);
void configure_erase(void);
/* Keeps what a restart needs to know of the time. */
void configure_note_time(uint64_t now_us);

#endif

/* The member's telemetry: streams of messages on a fixed grid `origin + offset + n every`, which nothing that is slow can move. */
#ifndef FLEETRIG_TELEMETRY_H
#define FLEETRIG_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stopped, as configured. */
void telemetry_reset(void);
/* Begins, or goes on from now when `origin_us` was set anew. */
void telemetry_start(void);
void telemetry_stop(void);
/* What the model wants from now on; 0 leaves what is. Microseconds, and a factor. */
void telemetry_configure(int64_t every_us, int slowdown);
bool telemetry_is_running(void);

#endif

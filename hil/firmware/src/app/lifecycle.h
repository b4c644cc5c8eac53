/* The ends of a run of the board that it wants itself: they wait until what was said before has left the serial line. */
#ifndef FLEETRIG_LIFECYCLE_H
#define FLEETRIG_LIFECYCLE_H

#include <stdint.h>

void lifecycle_restart(void);
void lifecycle_sleep(uint64_t us);
void lifecycle_crash(const char *kind);
/* From app_poll: does it when the time has come. Returns when it wants to be called again at the latest. */
uint64_t lifecycle_poll(uint64_t now_us);

#endif

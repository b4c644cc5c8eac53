/* What the member measures: one value per signal, moved by its shape, by ramps of `setState`, or by an analogue input. */
#ifndef FLEETRIG_SIGNALS_H
#define FLEETRIG_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The member is another one, or the board has restarted. */
void signals_start(void);
/* The value now, rounded, and how many digits it has after the point. false: there is no such signal. */
bool signals_sample(const char *name, size_t length, int64_t now_us, double *value, int *decimals);
/* Moves to a value, at once or over a time, and stays. false: there is no such signal. */
bool signals_move(const char *name, double to, int64_t over_us, int64_t now_us);
/* From now on the channel reads that. false: no such channel. */
bool signals_set_adc(int channel, double millivolts);

#endif

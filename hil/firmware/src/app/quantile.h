/* Distributions of durations in µs, as the configuration writes them. */
#ifndef FLEETRIG_QUANTILE_H
#define FLEETRIG_QUANTILE_H

#include <stdint.h>

#include "json.h"

typedef enum { DIST_CONSTANT, DIST_UNIFORM, DIST_NORMAL, DIST_LOGNORMAL, DIST_EXPONENTIAL, DIST_EMPIRICAL } distribution_kind;

typedef struct {
  distribution_kind kind;
  double a, b;        /* value | min, max | mean, stddev | median, p99 | mean */
  json_value samples; /* empirical; stays in the text it was read from */
} distribution;

distribution distribution_of(json_value value, distribution otherwise);
/* The value at probability `p` in [0, 1), in whole microseconds, never negative. */
int64_t quantile_us(const distribution *distribution, double p);

#endif

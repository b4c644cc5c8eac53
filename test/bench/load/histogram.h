/* Latencies in buckets of at most 1.6 % width, so that a run needs no memory per message. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { STEPS_BITS = 6, HISTOGRAM_BUCKETS = (64 - STEPS_BITS + 1) << STEPS_BITS };

struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
  uint64_t total;
  uint64_t most;
};

void record_ns(struct histogram *histogram, uint64_t ns);
/* Reports p50Us, p99Us, p999Us and maxUs. */
void report_latency(const struct histogram *histogram);

#endif

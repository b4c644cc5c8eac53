#include "histogram.h"

#include "outcome.h"

enum { STEPS = 1 << STEPS_BITS };

/* Below 2 * STEPS every value has its bucket; above, each power of two is cut into STEPS of them. */
static unsigned bucket_of(uint64_t ns) {
  if (ns < STEPS) return (unsigned)ns;
  unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - STEPS_BITS;
  return (shift << STEPS_BITS) + (unsigned)(ns >> shift);
}

static double middle_of(unsigned bucket) {
  if (bucket < 2 * STEPS) return bucket;
  unsigned shift = (bucket >> STEPS_BITS) - 1;
  return (double)((uint64_t)(bucket - (shift << STEPS_BITS)) << shift) + (double)((uint64_t)1 << shift) / 2;
}

void record_ns(struct histogram *histogram, uint64_t ns) {
  histogram->counts[bucket_of(ns)]++;
  histogram->total++;
  if (ns > histogram->most) histogram->most = ns;
}

static double quantile_us(const struct histogram *histogram, double share) {
  uint64_t wanted = (uint64_t)((double)histogram->total * share);
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > wanted) return middle_of(bucket) / 1000;
  }
  return (double)histogram->most / 1000;
}

void report_latency(const struct histogram *histogram) {
  report("latencies", (double)histogram->total);
  report("p50Us", quantile_us(histogram, 0.5));
  report("p99Us", quantile_us(histogram, 0.99));
  report("p999Us", quantile_us(histogram, 0.999));
  report("maxUs", (double)histogram->most / 1000);
}

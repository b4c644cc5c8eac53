/* Modes that move messages. Each prints its figures and ends the process. */
#ifndef THROUGHPUT_H
#define THROUGHPUT_H

#include "options.h"

/* `publishers` connections to one subscriber. */
_Noreturn void run_fan_in(const struct options *options);
/* One publisher to `subscribers`, of which `frozen` do not read. */
_Noreturn void run_fan_out(const struct options *options);
/* `publishers` pairs, each with one message under way. */
_Noreturn void run_pairs(const struct options *options);
/* `publishers` connections to one subscriber at `rate`; latency counts from when each message was due. */
_Noreturn void run_paced(const struct options *options);

#endif

/* How a run ends: one JSON line on stdout, and 0 or 1. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdint.h>

/* `{"error": ...}` and exit code 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Adds a number to the line that `finish` prints. Names are literals. */
void report(const char *name, double value);
_Noreturn void finish(void);

/* Nanoseconds of a clock that never jumps. */
uint64_t now_ns(void);
/* CPU time of a process, its threads included, in seconds; 0 for pid 0. */
double process_cpu_s(int pid);

#endif

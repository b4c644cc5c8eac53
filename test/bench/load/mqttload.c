/*
 * A load generator for MQTT brokers on this machine: one thread, epoll, no dependencies. It prints one JSON
 * line and fails when the broker loses, repeats or reorders a message, ends a connection or takes too long.
 *
 *   cc -O2 -std=gnu11 -o mqttload *.c && ./mqttload fan-in --port 1883 --qos 1
 */
#include <string.h>

#include "crowds.h"
#include "outcome.h"
#include "throughput.h"

static const struct {
  const char *name;
  void (*run)(const struct options *options);
} MODES[] = {
    {"fan-in", run_fan_in},
    {"fan-out", run_fan_out}, {"pairs", run_pairs}, {"paced", run_paced}, {"connect", run_connect},
    {"hold", run_hold},       {"claim", run_claim}, {"loris", run_loris},
};

int main(int count, char **words) {
  struct options options = read_options(count, words);
  for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++)
    if (strcmp(MODES[i].name, options.mode) == 0) MODES[i].run(&options);
  fail("there is no mode %s", options.mode);
}

/* What all throughput modes share: sequence checks, the measured stretch of time, the publisher's side. */
#ifndef MEASUREMENT_H
#define MEASUREMENT_H

#include "client.h"

/* Order per publisher: a number that is too high means loss, one that is too low repetition or disorder. */
struct sequence_check {
  uint64_t missing;
  uint64_t repeated;
};
void check_sequence(struct sequence_check *check, uint64_t *expected, uint64_t sequence);
/* Ends the process unless everything came once and in order. */
void require_complete(const struct sequence_check *check);

/* Sending goes on for warm_ms + ms; only the last ms count. */
struct measurement {
  enum { WARMING, MEASURING, DRAINING } phase;
  uint64_t next_ns;
  uint64_t began_ns;
  uint64_t ended_ns;
  uint64_t deliveries_at_begin;
  uint64_t deliveries;
  /* Of the broker, and our own: near 1 of a core the load is what limits. */
  double cpu_s;
  double load_cpu_s;
};
struct measurement begin_measurement(const struct options *options);
/* To be called every turn with the deliveries so far. */
void update_measurement(struct measurement *measurement, const struct options *options, uint64_t deliveries);
/* Reports deliveries per second, the broker's CPU per delivery and what share of a core both sides used. */
void report_measurement(const struct measurement *measurement);

/* One connection that publishes; acknowledgements must come in the order of its publishes [MQTT-4.6.0-2]. */
struct publisher {
  struct client *client;
  char topic[TOPIC_BYTES_MAX];
  uint64_t sent;
  uint64_t acknowledged;
};
/* Adds one PUBLISH to the client's output. */
void publish(struct publisher *publisher, int qos, uint64_t at_ns);
void acknowledge(struct publisher *publisher, uint16_t packet_id);

#endif

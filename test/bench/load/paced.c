#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"
#include "measurement.h"
#include "outcome.h"
#include "throughput.h"

enum { NS_PER_S = 1000000000 };

/*
 * Client 0 subscribes; the publishers are clients 1 and on and take turns at `rate` per second. A message
 * counts from the moment it was due, so a generator or broker that is late cannot hide it.
 */
static struct {
  struct publisher *publishers;
  uint64_t *expected;
  uint64_t began_ns;
  uint64_t sent;
  uint64_t arrived;
  uint64_t acknowledged;
  bool is_measuring;
  struct sequence_check check;
  struct histogram latency;
} run;

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  (void)client;
  uint32_t publisher = delivery->stamp.source - 1;
  if (publisher >= (uint32_t)loop->options->publishers) fail("a message of nobody arrived");
  check_sequence(&run.check, &run.expected[publisher], delivery->stamp.sequence);
  run.arrived++;
  if (run.is_measuring) record_ns(&run.latency, now_ns() - delivery->stamp.at_ns);
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  (void)loop;
  acknowledge(&run.publishers[client->ordinal - 1], packet_id);
  run.acknowledged++;
}

static uint64_t due_ns(const struct options *options) {
  return run.began_ns + run.sent * NS_PER_S / (uint64_t)options->rate;
}

static void send_due(struct loop *loop) {
  const struct options *options = loop->options;
  uint64_t now = now_ns();
  for (uint64_t due; (due = due_ns(options)) <= now; run.sent++) {
    struct publisher *publisher = &run.publishers[run.sent % (uint64_t)options->publishers];
    publish(publisher, options->qos, due);
    flush_output(loop, publisher->client);
  }
}

static bool is_drained(const struct options *options) {
  return run.arrived == run.sent && (options->qos == 0 || run.acknowledged == run.sent);
}

static void prepare(struct loop *loop, int publishers) {
  run.publishers = calloc((size_t)publishers, sizeof *run.publishers);
  run.expected = calloc((size_t)publishers, sizeof *run.expected);
  snprintf(loop->clients[0].filter, TOPIC_BYTES_MAX, "bench/paced/+");
  for (int i = 0; i < publishers; i++) {
    run.publishers[i].client = &loop->clients[i + 1];
    snprintf(run.publishers[i].topic, TOPIC_BYTES_MAX, "bench/paced/%d", i);
  }
}

void run_paced(const struct options *options) {
  static const struct events events = {.delivered = delivered, .acknowledged = acknowledged};
  struct loop loop = open_loop(options, &events, options->publishers + 1);
  prepare(&loop, options->publishers);
  connect_clients(&loop, 0, loop.client_count);
  struct measurement measurement = begin_measurement(options);
  run.began_ns = now_ns();
  while (measurement.phase != DRAINING || !is_drained(options)) {
    if (measurement.phase != DRAINING) send_due(&loop);
    run_turn_until(&loop, measurement.phase == DRAINING ? now_ns() + NS_PER_S / 1000 : due_ns(options));
    update_measurement(&measurement, options, run.arrived);
    run.is_measuring = measurement.phase == MEASURING;
  }
  require_complete(&run.check);
  report_measurement(&measurement);
  report_latency(&run.latency);
  finish();
}

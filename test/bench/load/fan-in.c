#include <stdio.h>
#include <stdlib.h>

#include "measurement.h"
#include "outcome.h"
#include "throughput.h"

/* Client 0 subscribes; the publishers are clients 1 and on. */
static struct {
  struct publisher *publishers;
  uint64_t *expected;
  uint64_t sent;
  uint64_t arrived;
  uint64_t acknowledged;
  struct sequence_check check;
} run;

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  (void)client;
  uint32_t publisher = delivery->stamp.source - 1;
  if (publisher >= (uint32_t)loop->options->publishers) fail("a message of nobody arrived");
  check_sequence(&run.check, &run.expected[publisher], delivery->stamp.sequence);
  run.arrived++;
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  (void)loop;
  acknowledge(&run.publishers[client->ordinal - 1], packet_id);
  run.acknowledged++;
}

static uint64_t under_way(const struct options *options) {
  uint64_t done = options->qos == 1 && run.acknowledged < run.arrived ? run.acknowledged : run.arrived;
  return run.sent - done;
}

/* The publishers take turns, `batch` messages each; one whose socket is full is passed over. */
static void pump(struct loop *loop) {
  static int next = 0;
  const struct options *options = loop->options;
  for (int blocked = 0; blocked < options->publishers;) {
    if (under_way(options) + (uint64_t)options->batch > (uint64_t)options->window) return;
    struct publisher *publisher = &run.publishers[next];
    next = (next + 1) % options->publishers;
    if (publisher->client->out_bytes > 0) {
      blocked++;
      continue;
    }
    blocked = 0;
    for (int i = 0; i < options->batch; i++) publish(publisher, options->qos, 0);
    run.sent += (uint64_t)options->batch;
    flush_output(loop, publisher->client);
  }
}

void run_fan_in(const struct options *options) {
  static const struct events events = {.delivered = delivered, .acknowledged = acknowledged};
  struct loop loop = open_loop(options, &events, options->publishers + 1);
  run.publishers = calloc((size_t)options->publishers, sizeof *run.publishers);
  run.expected = calloc((size_t)options->publishers, sizeof *run.expected);
  snprintf(loop.clients[0].filter, TOPIC_BYTES_MAX, "bench/fan-in");
  for (int i = 0; i < options->publishers; i++) {
    run.publishers[i].client = &loop.clients[i + 1];
    snprintf(run.publishers[i].topic, TOPIC_BYTES_MAX, "bench/fan-in");
  }
  connect_clients(&loop, 0, loop.client_count);
  struct measurement measurement = begin_measurement(options);
  while (measurement.phase != DRAINING || under_way(options) > 0) {
    if (measurement.phase != DRAINING) pump(&loop);
    run_turn(&loop, 1);
    update_measurement(&measurement, options, run.arrived);
  }
  require_complete(&run.check);
  report_measurement(&measurement);
  finish();
}

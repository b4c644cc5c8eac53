#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"
#include "measurement.h"
#include "outcome.h"
#include "throughput.h"

/*
 * Clients 0 .. n - 1 subscribe, clients n .. 2n - 1 publish to one of them each. A pair sends its next
 * message when the last one has arrived and is acknowledged.
 */
static struct {
  struct publisher *publishers;
  uint64_t *expected;
  uint64_t arrived;
  int busy;
  bool is_ending;
  bool is_measuring;
  struct sequence_check check;
  struct histogram latency;
} run;

static void send_next(struct loop *loop, int pair) {
  struct publisher *publisher = &run.publishers[pair];
  publish(publisher, loop->options->qos, now_ns());
  flush_output(loop, publisher->client);
}

static void step(struct loop *loop, int pair) {
  const struct publisher *publisher = &run.publishers[pair];
  bool is_acknowledged = loop->options->qos == 0 || publisher->acknowledged == publisher->sent;
  if (!is_acknowledged || run.expected[pair] != publisher->sent) return;
  if (run.is_ending) run.busy--;
  else send_next(loop, pair);
}

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  check_sequence(&run.check, &run.expected[client->ordinal], delivery->stamp.sequence);
  run.arrived++;
  if (run.is_measuring) record_ns(&run.latency, now_ns() - delivery->stamp.at_ns);
  step(loop, (int)client->ordinal);
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  int pair = (int)client->ordinal - loop->options->publishers;
  acknowledge(&run.publishers[pair], packet_id);
  step(loop, pair);
}

static void prepare(struct loop *loop, int pairs) {
  run.publishers = calloc((size_t)pairs, sizeof *run.publishers);
  run.expected = calloc((size_t)pairs, sizeof *run.expected);
  for (int i = 0; i < pairs; i++) {
    run.publishers[i].client = &loop->clients[pairs + i];
    snprintf(run.publishers[i].topic, TOPIC_BYTES_MAX, "bench/pair/%d", i);
    snprintf(loop->clients[i].filter, TOPIC_BYTES_MAX, "bench/pair/%d", i);
  }
}

void run_pairs(const struct options *options) {
  static const struct events events = {.delivered = delivered, .acknowledged = acknowledged};
  struct loop loop = open_loop(options, &events, 2 * options->publishers);
  prepare(&loop, options->publishers);
  connect_clients(&loop, 0, loop.client_count);
  run.busy = options->publishers;
  for (int i = 0; i < options->publishers; i++) send_next(&loop, i);
  struct measurement measurement = begin_measurement(options);
  while (run.busy > 0) {
    run_turn(&loop, 1);
    update_measurement(&measurement, options, run.arrived);
    run.is_measuring = measurement.phase == MEASURING;
    run.is_ending = measurement.phase == DRAINING;
  }
  require_complete(&run.check);
  report_measurement(&measurement);
  report_latency(&run.latency);
  finish();
}

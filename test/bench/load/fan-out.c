#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "measurement.h"
#include "outcome.h"
#include "throughput.h"

/* Clients 0 .. subscribers - 1 subscribe, the first `frozen` of them never read; the last one publishes. */
static struct {
  struct publisher publisher;
  uint64_t *expected;
  uint64_t arrived;
  struct sequence_check check;
} run;

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  (void)loop;
  check_sequence(&run.check, &run.expected[client->ordinal], delivery->stamp.sequence);
  run.arrived++;
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  (void)loop;
  (void)client;
  acknowledge(&run.publisher, packet_id);
}

/* Messages that the healthy subscribers, on average, or the publisher's acknowledgements lack. */
static uint64_t under_way(const struct options *options) {
  uint64_t healthy = (uint64_t)(options->subscribers - options->frozen);
  uint64_t lacking = run.publisher.sent * healthy - run.arrived;
  uint64_t messages = (lacking + healthy - 1) / healthy;
  uint64_t unacknowledged = options->qos == 0 ? 0 : run.publisher.sent - run.publisher.acknowledged;
  return messages > unacknowledged ? messages : unacknowledged;
}

static void pump(struct loop *loop) {
  const struct options *options = loop->options;
  while (run.publisher.client->out_bytes == 0 &&
         under_way(options) + (uint64_t)options->batch <= (uint64_t)options->window) {
    for (int i = 0; i < options->batch; i++) publish(&run.publisher, options->qos, 0);
    flush_output(loop, run.publisher.client);
  }
}

/* Nobody looks at them any more, so the broker may also cut them off. */
static void freeze(struct loop *loop) {
  for (int i = 0; i < loop->options->frozen; i++)
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->clients[i].fd, NULL);
}

void run_fan_out(const struct options *options) {
  static const struct events events = {.delivered = delivered, .acknowledged = acknowledged};
  struct loop loop = open_loop(options, &events, options->subscribers + 1);
  run.expected = calloc((size_t)options->subscribers, sizeof *run.expected);
  run.publisher.client = &loop.clients[options->subscribers];
  snprintf(run.publisher.topic, TOPIC_BYTES_MAX, "bench/fan-out");
  for (int i = 0; i < options->subscribers; i++)
    snprintf(loop.clients[i].filter, TOPIC_BYTES_MAX, "bench/fan-out");
  connect_clients(&loop, 0, loop.client_count);
  freeze(&loop);
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

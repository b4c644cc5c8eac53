#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowds.h"
#include "histogram.h"
#include "measurement.h"
#include "outcome.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000, CANARY_NS = 10 * NS_PER_MS, WAIT_MS = 2 };

/* Clients 0 and 1 are the canary's subscriber and publisher; all others drip. */
enum { CANARY_CLIENTS = 2 };

static struct {
  struct publisher canary;
  uint64_t expected;
  struct sequence_check check;
  struct histogram latency;
  uint64_t *opened_ns;
  /* Bytes of its CONNECT that each has sent. */
  uint8_t *dripped;
  int opened;
  int closed;
  uint64_t longest_ns;
} run;

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  (void)loop;
  (void)client;
  check_sequence(&run.check, &run.expected, delivery->stamp.sequence);
  record_ns(&run.latency, now_ns() - delivery->stamp.at_ns);
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  (void)loop;
  (void)client;
  acknowledge(&run.canary, packet_id);
}

static void opened(struct loop *loop, struct client *client) {
  (void)loop;
  run.opened_ns[client->ordinal] = now_ns();
  run.opened++;
}

static void closed(struct loop *loop, struct client *client) {
  (void)loop;
  if (client->ordinal < CANARY_CLIENTS) fail("the broker ended the canary's connection");
  uint64_t lived_ns = now_ns() - run.opened_ns[client->ordinal];
  if (lived_ns > run.longest_ns) run.longest_ns = lived_ns;
  run.closed++;
}

static void drip(struct loop *loop, struct client *client) {
  uint8_t connect[PACKET_BYTES_MAX];
  /* A CONNECT that takes longer than any deadline: its identifier is as long as fits. */
  char id[100];
  memset(id, 'x', sizeof id - 1);
  id[sizeof id - 1] = '\0';
  size_t bytes = write_connect(connect, id);
  uint8_t *dripped = &run.dripped[client->ordinal];
  if (client->phase != OPENED || *dripped + 1u >= bytes) return;
  *output_room(client, 1) = connect[(*dripped)++];
  client->out_bytes++;
  flush_output(loop, client);
}

/* Spreads the drips evenly over each second. */
static void drip_due(struct loop *loop, uint64_t began_ns) {
  static uint64_t turn = 0;
  uint64_t count = (uint64_t)(loop->client_count - CANARY_CLIENTS);
  uint64_t due = (now_ns() - began_ns) * count / NS_PER_S;
  for (; turn < due; turn++) drip(loop, &loop->clients[CANARY_CLIENTS + turn % count]);
}

static void sing_due(struct loop *loop, uint64_t began_ns) {
  uint64_t now = now_ns();
  for (uint64_t due; (due = began_ns + run.canary.sent * CANARY_NS) <= now;) publish(&run.canary, 1, due);
  flush_output(loop, run.canary.client);
}

static void prepare(struct loop *loop) {
  run.opened_ns = calloc((size_t)loop->client_count, sizeof *run.opened_ns);
  run.dripped = calloc((size_t)loop->client_count, sizeof *run.dripped);
  run.canary.client = &loop->clients[1];
  snprintf(run.canary.topic, TOPIC_BYTES_MAX, "bench/canary");
  snprintf(loop->clients[0].filter, TOPIC_BYTES_MAX, "bench/canary");
}

void run_loris(const struct options *given) {
  static const struct events canary_events = {.delivered = delivered, .acknowledged = acknowledged};
  static const struct events events = {
      .delivered = delivered, .acknowledged = acknowledged, .opened = opened, .closed = closed};
  struct options options = *given;
  options.qos = 1;
  struct loop loop = open_loop(&options, &canary_events, CANARY_CLIENTS + options.clients);
  prepare(&loop);
  connect_clients(&loop, 0, CANARY_CLIENTS);
  loop.events = &events;
  uint64_t began_ns = now_ns();
  for (int started = 0; run.closed < options.clients;) {
    while (started < options.clients && started - run.opened < options.concurrent)
      start_connection(&loop, &loop.clients[CANARY_CLIENTS + started++]);
    drip_due(&loop, began_ns);
    sing_due(&loop, began_ns);
    run_turn(&loop, WAIT_MS);
  }
  require_complete(&run.check);
  report("evicted", run.closed);
  report("longestMs", (double)run.longest_ns / NS_PER_MS);
  report_latency(&run.latency);
  finish();
}

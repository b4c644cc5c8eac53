#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "crowds.h"
#include "outcome.h"

enum { WAIT_MS = 100 };

static void delivered(struct loop *loop, struct client *client, const struct delivery *delivery) {
  (void)loop;
  (void)delivery;
  fail("client %u received a message", client->ordinal);
}

static void acknowledged(struct loop *loop, struct client *client, uint16_t packet_id) {
  (void)loop;
  (void)packet_id;
  fail("client %u received an acknowledgement", client->ordinal);
}

static const struct events EVENTS = {.delivered = delivered, .acknowledged = acknowledged};

void run_connect(const struct options *options) {
  struct loop loop = open_loop(options, &EVENTS, options->clients);
  uint64_t began_ns = 0;
  double cpu_s = 0;
  for (int round = 0; round < options->rounds; round++) {
    for (int i = 0; i < options->clients; i++) drop_client(&loop, &loop.clients[i]);
    loop.generation++;
    began_ns = now_ns();
    cpu_s = process_cpu_s(options->pid);
    connect_clients(&loop, 0, options->clients);
  }
  report("perSecond", options->clients / ((double)(now_ns() - began_ns) / 1e9));
  report("cpuUsPerConnect", (process_cpu_s(options->pid) - cpu_s) * 1e6 / options->clients);
  finish();
}

static bool has_input_ended(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, 0) > 0;
}

void run_hold(const struct options *options) {
  struct loop loop = open_loop(options, &EVENTS, options->clients);
  uint64_t began_ns = now_ns();
  connect_clients(&loop, 0, options->clients);
  report("perSecond", options->clients / ((double)(now_ns() - began_ns) / 1e9));
  printf("held\n");
  fflush(stdout);
  while (!has_input_ended()) run_turn(&loop, WAIT_MS);
  finish();
}

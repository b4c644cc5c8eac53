#include <string.h>

#include "client.h"
#include "crowds.h"
#include "outcome.h"

enum { CLAIMED_BYTES = 64 * 1024, PIECE_BYTES = 4096, GRACE_MS = 3000, NS_PER_MS = 1000000, WAIT_MS = 10 };

static struct {
  int opened;
  int closed;
  uint64_t sent_bytes;
} run;

static const uint8_t CLAIM[] = {0x10, 0xff, 0xff, 0xff, 0x7f};
static const uint8_t PIECE[PIECE_BYTES] = {0};

static void send_bytes(struct loop *loop, struct client *client, const uint8_t *bytes, size_t count) {
  if (client->phase == CLOSED || client->out_bytes > 0) return;
  memcpy(output_room(client, count), bytes, count);
  client->out_bytes = count;
  run.sent_bytes += count;
  flush_output(loop, client);
}

static void opened(struct loop *loop, struct client *client) {
  run.opened++;
  if (!loop->options->gather) send_bytes(loop, client, CLAIM, sizeof CLAIM);
}

static void closed(struct loop *loop, struct client *client) {
  (void)loop;
  (void)client;
  run.closed++;
}

static void send_to_all(struct loop *loop, const uint8_t *bytes, size_t count) {
  for (int i = 0; i < loop->client_count; i++) send_bytes(loop, &loop->clients[i], bytes, count);
  run_turn(loop, WAIT_MS);
}

static void open_all(struct loop *loop) {
  const struct options *options = loop->options;
  int started = 0;
  while (run.opened < options->clients) {
    while (started < options->clients && started - run.opened < options->concurrent)
      start_connection(loop, &loop->clients[started++]);
    run_turn(loop, WAIT_MS);
  }
}

/* With `gather` a broker that believes the claims pays for all of them at the same time. */
void run_claim(const struct options *options) {
  static const struct events events = {.opened = opened, .closed = closed};
  struct loop loop = open_loop(options, &events, options->clients);
  open_all(&loop);
  if (options->gather) send_to_all(&loop, CLAIM, sizeof CLAIM);
  for (int sent = 0; sent < CLAIMED_BYTES; sent += PIECE_BYTES) send_to_all(&loop, PIECE, PIECE_BYTES);
  uint64_t end_ns = now_ns() + (uint64_t)GRACE_MS * NS_PER_MS;
  while (run.closed < options->clients && now_ns() < end_ns) run_turn(&loop, WAIT_MS);
  report("closed", run.closed);
  report("sentBytes", (double)run.sent_bytes);
  finish();
}

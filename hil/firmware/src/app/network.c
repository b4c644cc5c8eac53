#include "network.h"

#include <string.h>

#include "credentials.h"
#include "events.h"
#include "hal.h"
#include "link.h"

typedef enum { IDLE, OPENING, OPEN, CLOSING } state;

static const network_handlers *handlers;
static network_path path;
static state current;
/* Numbers the connections of the tunnel, so that what is said of an old one is not taken for the present one. */
static uint32_t number;
static uint8_t pending[NETWORK_SEND_MAX];
static size_t pending_length;

/* A piece of the tunnel: small enough to leave room for control messages between. */
enum { PIECE_MAX = 512, READ_MAX = 1024, READS_MAX = 32 };
static const uint64_t POLL_US = 5000;

void network_start(const network_handlers *wanted) {
  handlers = wanted;
  current = IDLE;
  pending_length = 0;
}

void network_use(network_path wanted) {
  if (current != IDLE) network_close(false);
  path = wanted;
}

bool network_is_reachable(void) { return path == NETWORK_DIRECT || link_is_open(); }

static void tell(const char *what) {
  json_writer *out = events_begin_plain();
  json_name(out, "net");
  json_put_text(out, what);
  json_name(out, "n");
  json_put_integer(out, number);
  events_send();
}

static void forget(void) {
  current = IDLE;
  pending_length = 0;
}

void network_dial(void) {
  pending_length = 0;
  current = OPENING;
  if (path == NETWORK_BRIDGE) {
    number += 1;
    tell("dial");
    return;
  }
  /* A refusal at once is told by the next poll, like one that takes longer. */
  if (hal_net_available() && credentials_target() != NULL) hal_net_open(credentials_target());
}

size_t network_room(void) { return current == OPEN ? sizeof pending - pending_length : 0; }

bool network_send(const uint8_t *bytes, size_t length) {
  if (length > network_room()) return false;
  memcpy(pending + pending_length, bytes, length);
  pending_length += length;
  return true;
}

static void end_in_order(void) {
  if (path == NETWORK_DIRECT) hal_net_close(true);
  else tell("close");
  forget();
}

static size_t write_some(const uint8_t *bytes, size_t length) {
  if (path == NETWORK_DIRECT) return hal_net_write(bytes, length);
  /* Messages before the stream's bytes stay before them. */
  if (events_are_waiting()) return 0;
  const size_t room = link_room(), piece = length < PIECE_MAX ? length : PIECE_MAX;
  const size_t fitting = piece < room ? piece : room;
  return fitting > 0 && link_send(LINK_NETWORK, bytes, fitting, false) ? fitting : 0;
}

static void flush(void) {
  size_t sent = 0;
  while (sent < pending_length) {
    const size_t count = write_some(pending + sent, pending_length - sent);
    if (count == 0) break;
    sent += count;
  }
  pending_length -= sent;
  memmove(pending, pending + sent, pending_length);
  if (current == CLOSING && pending_length == 0) end_in_order();
}

void network_close(bool in_order) {
  if (current == IDLE) return;
  /* What was sent has left the board as far as there is room, however the connection ends. */
  if (current == OPEN || current == CLOSING) flush();
  if (current == IDLE) return;
  if (in_order && current == OPEN && pending_length > 0) {
    current = CLOSING;
    return;
  }
  if (path == NETWORK_DIRECT) hal_net_close(in_order);
  else if (current != CLOSING || !in_order) tell(in_order ? "close" : "abort");
  forget();
}

static void give_up(const char *reason) {
  const bool was_open = current == OPEN, was_opening = current == OPENING;
  hal_net_close(false);
  forget();
  if (was_open) handlers->closed(reason);
  if (was_opening) handlers->failed(reason);
}

/* @returns whether there may be more to read: a server that floods must not keep everything else waiting. */
static bool read_direct(void) {
  uint8_t bytes[READ_MAX];
  for (int reads = 0; reads < READS_MAX; reads += 1) {
    const size_t count = current == OPEN ? hal_net_read(bytes, sizeof bytes) : 0;
    if (count == 0) return false;
    handlers->received(bytes, count);
  }
  return true;
}

static bool poll_direct(void) {
  if (!hal_net_available() || credentials_target() == NULL) {
    if (current != IDLE) give_up("unreachable");
    return false;
  }
  const hal_net_state now = hal_net_poll();
  if (current == OPENING && now == HAL_NET_UP) {
    current = OPEN;
    handlers->opened();
  }
  const bool has_more = read_direct();
  if (current == IDLE || has_more) return has_more;
  if (now == HAL_NET_REFUSED) give_up(hal_net_error());
  else if (now == HAL_NET_LOST || now == HAL_NET_DOWN) give_up(current == OPENING ? "unreachable" : hal_net_error());
  return false;
}

uint64_t network_poll(uint64_t now_us) {
  const bool has_more = path == NETWORK_DIRECT && current != IDLE && poll_direct();
  if (current == OPEN || current == CLOSING) flush();
  if (has_more) return now_us;
  return current == OPENING && path == NETWORK_DIRECT ? now_us + POLL_US : pending_length > 0 ? now_us + POLL_US : UINT64_MAX;
}

static void copy_reason(json_value message, const char *otherwise, char reason[24]) {
  if (json_text(json_member(message, "reason"), reason, 24) < 0) memcpy(reason, otherwise, strlen(otherwise) + 1);
}

void network_control(json_value message) {
  const json_value net = json_member(message, "net");
  if (path != NETWORK_BRIDGE || json_integer_or(json_member(message, "n"), -1) != (int64_t)number) return;
  char reason[24];
  if (json_text_is(net, "opened")) {
    if (current != OPENING) return;
    current = OPEN;
    handlers->opened();
  } else if (json_text_is(net, "failed")) {
    if (current != OPENING) return;
    copy_reason(message, "unreachable", reason);
    forget();
    handlers->failed(reason);
  } else if (json_text_is(net, "closed") || json_text_is(net, "close") || json_text_is(net, "abort")) {
    const bool was_open = current == OPEN;
    copy_reason(message, json_text_is(net, "abort") ? "reset" : "closed", reason);
    forget();
    if (was_open) handlers->closed(reason);
  }
}

void network_tunnelled(const uint8_t *bytes, size_t length) {
  if (path == NETWORK_BRIDGE && current == OPEN) handlers->received(bytes, length);
}

void network_link_lost(void) {
  if (path != NETWORK_BRIDGE || current == IDLE) return;
  const bool was_open = current == OPEN, was_opening = current == OPENING;
  forget();
  if (was_open) handlers->closed("reset");
  if (was_opening) handlers->failed("unreachable");
}

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "outcome.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { READ_BYTES = 256 * 1024, EVENTS_PER_TURN = 512, CLIENTS_PER_ADDRESS = 4000, WAIT_MS = 50 };

struct loop open_loop(const struct options *options, const struct events *events, int client_count) {
  struct loop loop = {
      .options = options,
      .events = events,
      .epoll = epoll_create1(0),
      .clients = calloc((size_t)client_count, sizeof(struct client)),
      .client_count = client_count,
      .deadline_ns = now_ns() + (uint64_t)options->deadline_s * 1000000000u,
  };
  if (loop.epoll < 0 || loop.clients == NULL) fail("cannot begin: %s", strerror(errno));
  for (int i = 0; i < client_count; i++) loop.clients[i].ordinal = (uint32_t)i;
  return loop;
}

static void watch(struct loop *loop, struct client *client, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = client};
  if (epoll_ctl(loop->epoll, operation, client->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

/*
 * Every 4,000 clients have an address of their own, and each generation its own again: the kernel looks for
 * a free port one by one, which takes ever longer as those of an address run out, and ended connections occupy
 * theirs for a minute. All of 127.0.0.0/8 is this host.
 */
static void bind_source(const struct loop *loop, const struct client *client) {
  uint32_t run = 1 + (uint32_t)getpid() % 250;
  uint32_t last = 1 + client->ordinal / CLIENTS_PER_ADDRESS;
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(127u << 24 | run << 16 | loop->generation % 256 << 8 | last);
  int on = 1;
  setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(client->fd, (struct sockaddr *)&source, sizeof source) != 0) fail("bind: %s", strerror(errno));
}

void start_connection(struct loop *loop, struct client *client) {
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) fail("socket %u: %s", client->ordinal, strerror(errno));
  int on = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bind_source(loop, client);
  struct sockaddr_in broker = {.sin_family = AF_INET, .sin_port = htons((uint16_t)loop->options->port)};
  broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int result = connect(client->fd, (struct sockaddr *)&broker, sizeof broker);
  if (result != 0 && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  client->phase = OPENING;
  client->kept_bytes = 0;
  client->out_bytes = 0;
  client->is_watching_output = true;
  watch(loop, client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void drop_client(struct loop *loop, struct client *client) {
  if (client->phase == CLOSED) return;
  if (client->phase == READY) loop->ready_count--;
  client->phase = CLOSED;
  close(client->fd);
}

static void lost(struct loop *loop, struct client *client, const char *why) {
  if (loop->events->closed == NULL) fail("the broker ended connection %u: %s", client->ordinal, why);
  drop_client(loop, client);
  loop->events->closed(loop, client);
}

uint8_t *output_room(struct client *client, size_t bytes) {
  if (client->out_bytes + bytes > client->out_size) {
    client->out_size = 2 * (client->out_bytes + bytes);
    client->out = realloc(client->out, client->out_size);
    if (client->out == NULL) fail("out of memory");
  }
  return client->out + client->out_bytes;
}

void flush_output(struct loop *loop, struct client *client) {
  if (client->out_bytes == 0 || client->phase == CLOSED) return;
  ssize_t written = send(client->fd, client->out, client->out_bytes, MSG_NOSIGNAL);
  if (written < 0 && errno != EAGAIN) {
    lost(loop, client, strerror(errno));
    return;
  }
  if (written > 0) {
    client->out_bytes -= (size_t)written;
    memmove(client->out, client->out + written, client->out_bytes);
  }
  bool is_blocked = client->out_bytes > 0;
  if (is_blocked == client->is_watching_output) return;
  client->is_watching_output = is_blocked;
  watch(loop, client, EPOLL_CTL_MOD, is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void become_ready(struct loop *loop, struct client *client) {
  client->phase = READY;
  loop->ready_count++;
}

static void opened(struct loop *loop, struct client *client) {
  client->phase = OPENED;
  if (loop->events->opened != NULL) {
    client->is_watching_output = false;
    watch(loop, client, EPOLL_CTL_MOD, EPOLLIN);
    loop->events->opened(loop, client);
    return;
  }
  char client_id[32];
  snprintf(client_id, sizeof client_id, "bench-%u", client->ordinal);
  client->phase = CONNECTING;
  client->out_bytes += write_connect(output_room(client, PACKET_BYTES_MAX), client_id);
  flush_output(loop, client);
}

static void connected(struct loop *loop, struct client *client, const struct packet *packet) {
  if (packet->body_bytes < 2 || packet->body[1] != 0) fail("CONNECT %u was refused", client->ordinal);
  if (client->filter[0] == '\0') {
    become_ready(loop, client);
    return;
  }
  client->phase = SUBSCRIBING;
  uint8_t *to = output_room(client, PACKET_BYTES_MAX);
  client->out_bytes += write_subscribe(to, client->filter, loop->options->qos);
}

static void subscribed(struct loop *loop, struct client *client, const struct packet *packet) {
  if (packet->body_bytes < 3 || packet->body[2] != loop->options->qos)
    fail("SUBSCRIBE %u was not granted QoS %d", client->ordinal, loop->options->qos);
  become_ready(loop, client);
}

/* Acknowledges at once, but into the output that leaves when the whole read has been dealt with. */
static void delivered(struct loop *loop, struct client *client, const struct packet *packet) {
  struct delivery delivery;
  if (read_delivery(packet, &delivery) != 0) fail("client %u received a strange PUBLISH", client->ordinal);
  if (delivery.qos != loop->options->qos) fail("client %u received QoS %d", client->ordinal, delivery.qos);
  if (delivery.qos == 1)
    client->out_bytes += write_puback(output_room(client, PACKET_BYTES_MAX), delivery.packet_id);
  loop->events->delivered(loop, client, &delivery);
}

static void react(struct loop *loop, struct client *client, const struct packet *packet) {
  switch (packet->type) {
    case PUBLISH:
      delivered(loop, client, packet);
      break;
    case PUBACK:
      loop->events->acknowledged(loop, client, read_packet_id(packet));
      break;
    case CONNACK:
      connected(loop, client, packet);
      break;
    case SUBACK:
      subscribed(loop, client, packet);
      break;
    default:
      fail("client %u received packet type %d", client->ordinal, packet->type);
  }
}

/* One buffer for everybody: only the broken packet at its end is kept per client. */
static void read_input(struct loop *loop, struct client *client) {
  static uint8_t buffer[READ_BYTES + PACKET_BYTES_MAX];
  memcpy(buffer, client->kept, client->kept_bytes);
  ssize_t got = read(client->fd, buffer + client->kept_bytes, READ_BYTES);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    lost(loop, client, got == 0 ? "closed" : strerror(errno));
    return;
  }
  size_t bytes = client->kept_bytes + (size_t)got;
  size_t at = 0;
  struct packet packet;
  int outcome;
  while ((outcome = read_packet(buffer + at, bytes - at, &packet)) > 0) {
    react(loop, client, &packet);
    at += packet.total_bytes;
  }
  if (outcome < 0) fail("client %u received bytes that are no packet", client->ordinal);
  client->kept_bytes = bytes - at;
  memcpy(client->kept, buffer + at, client->kept_bytes);
  flush_output(loop, client);
}

static void handle(struct loop *loop, struct client *client, uint32_t happened) {
  if (client->phase == CLOSED) return;
  if (client->phase == OPENING && happened & EPOLLOUT && !(happened & EPOLLERR)) opened(loop, client);
  else if (happened & EPOLLOUT) flush_output(loop, client);
  if (client->phase != CLOSED && happened & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_input(loop, client);
}

static void wait_and_handle(struct loop *loop, const struct timespec *wait) {
  struct epoll_event events[EVENTS_PER_TURN];
  int count = epoll_pwait2(loop->epoll, events, EVENTS_PER_TURN, wait, NULL);
  if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < count; i++) handle(loop, events[i].data.ptr, events[i].events);
  if (now_ns() > loop->deadline_ns) fail("still not finished after %d s", loop->options->deadline_s);
}

void run_turn(struct loop *loop, int wait_ms) {
  struct timespec wait = {.tv_nsec = (long)wait_ms * 1000000};
  wait_and_handle(loop, &wait);
}

void run_turn_until(struct loop *loop, uint64_t until_ns) {
  uint64_t now = now_ns();
  struct timespec wait = {.tv_nsec = until_ns > now ? (long)(until_ns - now) : 0};
  wait_and_handle(loop, &wait);
}

void connect_clients(struct loop *loop, int from, int count) {
  int ready_before = loop->ready_count;
  int started = 0;
  while (loop->ready_count - ready_before < count) {
    while (started < count && started - (loop->ready_count - ready_before) < loop->options->concurrent)
      start_connection(loop, &loop->clients[from + started++]);
    run_turn(loop, WAIT_MS);
  }
}

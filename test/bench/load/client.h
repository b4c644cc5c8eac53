/*
 * Many MQTT connections on one thread and one epoll. A mode of the generator is a set of reactions (`events`)
 * and a `turn` that runs once per round of the loop, where it sends.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "wire.h"

struct client {
  int fd;
  /* Its place among all clients of the run; also its client identifier. */
  uint32_t ordinal;
  enum { CLOSED, OPENING, OPENED, CONNECTING, SUBSCRIBING, READY } phase;
  /* Subscribed to before it counts as ready; empty for publishers. */
  char filter[TOPIC_BYTES_MAX];
  bool is_watching_output;
  /* The beginning of a packet whose rest has not arrived. */
  uint8_t kept[PACKET_BYTES_MAX];
  size_t kept_bytes;
  /* Waiting to be written; grows to what the mode asks for. */
  uint8_t *out;
  size_t out_bytes;
  size_t out_size;
};

struct loop;

struct events {
  /* The TCP connection stands. Without it, CONNECT follows. */
  void (*opened)(struct loop *loop, struct client *client);
  void (*delivered)(struct loop *loop, struct client *client, const struct delivery *delivery);
  void (*acknowledged)(struct loop *loop, struct client *client, uint16_t packet_id);
  /* Without it, a connection that the broker ends is the end of the run. */
  void (*closed)(struct loop *loop, struct client *client);
};

struct loop {
  const struct options *options;
  const struct events *events;
  int epoll;
  struct client *clients;
  int client_count;
  int ready_count;
  /* Raised when all clients begin anew. */
  uint32_t generation;
  uint64_t deadline_ns;
};

struct loop open_loop(const struct options *options, const struct events *events, int client_count);

/* Connects (and subscribes) clients[from .. from + count), `options.concurrent` at a time; waits for all. */
void connect_clients(struct loop *loop, int from, int count);
/* Starts a TCP connection to the broker, without waiting for it. */
void start_connection(struct loop *loop, struct client *client);
void drop_client(struct loop *loop, struct client *client);

/* One round: waits up to `wait_ms` for events and reacts to them. Ends the process after the deadline. */
void run_turn(struct loop *loop, int wait_ms);
/* The same, with a wait that ends to the microsecond. */
void run_turn_until(struct loop *loop, uint64_t until_ns);

/* Room for `bytes` at the end of what waits to be written; the caller adds to out_bytes what it used. */
uint8_t *output_room(struct client *client, size_t bytes);
/* One write(2) of everything that waits; the rest goes when the socket has room again. */
void flush_output(struct loop *loop, struct client *client);

#endif

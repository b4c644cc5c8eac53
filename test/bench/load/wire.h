/* The few MQTT 3.1.1 packets that a load generator writes and reads. */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

enum packet_type { CONNACK = 2, PUBLISH = 3, PUBACK = 4, SUBACK = 9 };

enum {
  PAYLOAD_BYTES = 64,
  TOPIC_BYTES_MAX = 48,
  /* Every packet of a run fits, written or read. */
  PACKET_BYTES_MAX = 160,
};

/* What every payload begins with, so that the receiver can tell loss, repetition and disorder. */
struct stamp {
  uint64_t sequence; /* per source, from 0 */
  uint64_t at_ns;    /* when it was sent, or should have been */
  uint32_t source;
};

/* One packet inside the bytes it was read from. */
struct packet {
  enum packet_type type;
  uint8_t flags;
  const uint8_t *body;
  size_t body_bytes;
  size_t total_bytes;
};

struct delivery {
  struct stamp stamp;
  uint16_t packet_id; /* 0 with QoS 0 */
  uint8_t qos;
};

/* All writers return the number of bytes written; `to` holds at least PACKET_BYTES_MAX. */
size_t write_connect(uint8_t *to, const char *client_id);
size_t write_subscribe(uint8_t *to, const char *filter, int qos);
size_t write_publish(uint8_t *to, const char *topic, uint16_t packet_id, const struct stamp *stamp);
size_t write_puback(uint8_t *to, uint16_t packet_id);

/* Returns 1 with a whole packet, 0 while it is incomplete, -1 when the bytes cannot be one of ours. */
int read_packet(const uint8_t *from, size_t bytes, struct packet *packet);
/* Returns 0, or -1 when it is not one of our publishes. */
int read_delivery(const struct packet *packet, struct delivery *delivery);
uint16_t read_packet_id(const struct packet *packet);

#endif

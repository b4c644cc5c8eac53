#include "wire.h"

#include <string.h>

enum { KEEP_ALIVE_S = 1200, CLEAN_SESSION = 0x02, LENGTH_BYTES_MAX = 4 };

static size_t put_u16(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)(value >> 8);
  to[1] = (uint8_t)value;
  return 2;
}

static size_t put_text(uint8_t *to, const char *text) {
  size_t bytes = strlen(text);
  put_u16(to, (uint16_t)bytes);
  memcpy(to + 2, text, bytes);
  return 2 + bytes;
}

/* No packet of ours has a body of 16 KiB, so two length bytes are enough. */
static size_t put_header(uint8_t *to, uint8_t first, size_t body_bytes) {
  to[0] = first;
  if (body_bytes < 128) {
    to[1] = (uint8_t)body_bytes;
    return 2;
  }
  to[1] = (uint8_t)(body_bytes & 0x7f) | 0x80;
  to[2] = (uint8_t)(body_bytes >> 7);
  return 3;
}

size_t write_connect(uint8_t *to, const char *client_id) {
  static const uint8_t protocol[] = {0, 4, 'M', 'Q', 'T', 'T', 4, CLEAN_SESSION};
  size_t at = put_header(to, 0x10, sizeof protocol + 2 + 2 + strlen(client_id));
  memcpy(to + at, protocol, sizeof protocol);
  at += sizeof protocol;
  at += put_u16(to + at, KEEP_ALIVE_S);
  return at + put_text(to + at, client_id);
}

size_t write_subscribe(uint8_t *to, const char *filter, int qos) {
  size_t at = put_header(to, 0x82, 2 + 2 + strlen(filter) + 1);
  at += put_u16(to + at, 1);
  at += put_text(to + at, filter);
  to[at] = (uint8_t)qos;
  return at + 1;
}

size_t write_publish(uint8_t *to, const char *topic, uint16_t packet_id, const struct stamp *stamp) {
  size_t id_bytes = packet_id == 0 ? 0 : 2;
  size_t at = put_header(to, packet_id == 0 ? 0x30 : 0x32, 2 + strlen(topic) + id_bytes + PAYLOAD_BYTES);
  at += put_text(to + at, topic);
  if (packet_id != 0) at += put_u16(to + at, packet_id);
  memset(to + at, 'x', PAYLOAD_BYTES);
  memcpy(to + at, stamp, sizeof *stamp);
  return at + PAYLOAD_BYTES;
}

size_t write_puback(uint8_t *to, uint16_t packet_id) {
  to[0] = 0x40;
  to[1] = 2;
  return 2 + put_u16(to + 2, packet_id);
}

static uint16_t get_u16(const uint8_t *from) { return (uint16_t)(from[0] << 8 | from[1]); }

int read_packet(const uint8_t *from, size_t bytes, struct packet *packet) {
  size_t body_bytes = 0;
  for (size_t i = 1; i < bytes; i++) {
    if (i > LENGTH_BYTES_MAX) return -1;
    body_bytes |= (size_t)(from[i] & 0x7f) << (7 * (i - 1));
    if (from[i] & 0x80) continue;
    size_t total = i + 1 + body_bytes;
    if (total > PACKET_BYTES_MAX) return -1;
    if (total > bytes) return 0;
    *packet = (struct packet){.type = from[0] >> 4,
                              .flags = from[0] & 0x0f,
                              .body = from + i + 1,
                              .body_bytes = body_bytes,
                              .total_bytes = total};
    return 1;
  }
  return 0;
}

int read_delivery(const struct packet *packet, struct delivery *delivery) {
  if (packet->body_bytes < 2) return -1;
  delivery->qos = packet->flags >> 1 & 3;
  size_t at = 2 + (size_t)get_u16(packet->body);
  size_t id_bytes = delivery->qos == 0 ? 0 : 2;
  if (at + id_bytes + PAYLOAD_BYTES != packet->body_bytes) return -1;
  delivery->packet_id = id_bytes == 0 ? 0 : get_u16(packet->body + at);
  memcpy(&delivery->stamp, packet->body + at + id_bytes, sizeof delivery->stamp);
  return 0;
}

uint16_t read_packet_id(const struct packet *packet) {
  return packet->body_bytes < 2 ? 0 : get_u16(packet->body);
}

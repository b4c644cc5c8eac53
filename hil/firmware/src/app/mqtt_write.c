#include <string.h>

#include "mqtt_packet.h"

/* A packet's body is written where the longest fixed header leaves room for it, and moved to the front at the end. */
enum { HEADER_MAX = 5 };

typedef struct {
  uint8_t *bytes;
  size_t capacity, length;
  bool is_full;
} writer;

static writer body_on(uint8_t *bytes, size_t capacity) {
  return (writer){.bytes = bytes, .capacity = capacity, .length = HEADER_MAX, .is_full = capacity < HEADER_MAX};
}

static void put(writer *out, const void *bytes, size_t length) {
  if (out->is_full || length > out->capacity - out->length) {
    out->is_full = true;
    return;
  }
  if (length > 0) memcpy(out->bytes + out->length, bytes, length);
  out->length += length;
}

static void put_u8(writer *out, unsigned value) {
  const uint8_t byte = (uint8_t)value;
  put(out, &byte, 1);
}

static void put_u16(writer *out, unsigned value) {
  put_u8(out, value >> 8 & 0xff);
  put_u8(out, value & 0xff);
}

static void put_u32(writer *out, uint32_t value) {
  put_u16(out, value >> 16);
  put_u16(out, value & 0xffff);
}

static void put_binary(writer *out, const void *bytes, size_t length) {
  if (length > 0xffff) out->is_full = true;
  put_u16(out, (unsigned)length);
  put(out, bytes, length);
}

static void put_text(writer *out, const char *text) { put_binary(out, text, strlen(text)); }

static size_t varint_of(size_t value, uint8_t bytes[4]) {
  size_t count = 0;
  do {
    bytes[count] = (uint8_t)(value & 0x7f);
    value >>= 7;
    if (value > 0) bytes[count] |= 0x80;
    count += 1;
  } while (value > 0 && count < 4);
  return count;
}

static void put_varint(writer *out, size_t value) {
  uint8_t bytes[4];
  put(out, bytes, varint_of(value, bytes));
}

static size_t finish(writer *out, unsigned first) {
  if (out->is_full) return 0;
  const size_t body = out->length - HEADER_MAX;
  uint8_t length[4];
  const size_t count = varint_of(body, length);
  memmove(out->bytes + 1 + count, out->bytes + HEADER_MAX, body);
  out->bytes[0] = (uint8_t)first;
  memcpy(out->bytes + 1, length, count);
  return 1 + count + body;
}

static void put_connect_properties(writer *out, const mqtt_connect *packet) {
  const bool has_expiry = packet->session_expiry_s != 0, has_limit = packet->maximum_packet != 0;
  put_varint(out, (has_expiry ? 5u : 0u) + 3u + (has_limit ? 5u : 0u));
  if (has_expiry) {
    put_u8(out, 0x11);
    put_u32(out, packet->session_expiry_s);
  }
  put_u8(out, 0x21);
  put_u16(out, packet->receive_maximum);
  if (has_limit) {
    put_u8(out, 0x27);
    put_u32(out, packet->maximum_packet);
  }
}

static void put_will(writer *out, const mqtt_will *will, uint8_t version) {
  if (version == 5) {
    put_varint(out, will->delay_s != 0 ? 5 : 0);
    if (will->delay_s != 0) {
      put_u8(out, 0x18);
      put_u32(out, will->delay_s);
    }
  }
  put_text(out, will->topic);
  put_text(out, will->payload);
}

size_t mqtt_write_connect(const mqtt_connect *packet, uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  const mqtt_will *will = packet->will;
  unsigned flags = packet->clean_start ? 0x02u : 0;
  if (will != NULL) flags |= 0x04u | (unsigned)will->qos << 3 | (will->retain ? 0x20u : 0);
  if (packet->username != NULL) flags |= 0x80u;
  if (packet->password != NULL) flags |= 0x40u;
  put_text(&out, "MQTT");
  put_u8(&out, packet->version);
  put_u8(&out, flags);
  put_u16(&out, packet->keep_alive_s);
  if (packet->version == 5) put_connect_properties(&out, packet);
  put_text(&out, packet->client_id);
  if (will != NULL) put_will(&out, will, packet->version);
  if (packet->username != NULL) put_text(&out, packet->username);
  if (packet->password != NULL) put_text(&out, packet->password);
  return finish(&out, MQTT_CONNECT << 4);
}

static void put_trace(writer *out, const mqtt_publish *packet) {
  if (packet->trace_key == NULL || packet->trace_tag == NULL) {
    put_varint(out, 0);
    return;
  }
  put_varint(out, 1 + 2 + strlen(packet->trace_key) + 2 + strlen(packet->trace_tag));
  put_u8(out, 0x26);
  put_text(out, packet->trace_key);
  put_text(out, packet->trace_tag);
}

size_t mqtt_write_publish(const mqtt_publish *packet, uint8_t version, uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  put_binary(&out, packet->topic, packet->topic_length);
  if (packet->qos > 0) put_u16(&out, packet->packet_id);
  if (version == 5) put_trace(&out, packet);
  put(&out, packet->payload, packet->payload_length);
  return finish(&out, MQTT_PUBLISH << 4 | (packet->dup ? 8u : 0) | (unsigned)packet->qos << 1 | (packet->retain ? 1u : 0));
}

size_t mqtt_write_puback(uint16_t packet_id, uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  put_u16(&out, packet_id);
  return finish(&out, MQTT_PUBACK << 4);
}

size_t mqtt_write_subscribe(uint16_t packet_id, const char *const *filters, size_t count, uint8_t version, uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  put_u16(&out, packet_id);
  if (version == 5) put_varint(&out, 0);
  for (size_t i = 0; i < count; i += 1) {
    put_text(&out, filters[i]);
    put_u8(&out, 1);
  }
  return finish(&out, MQTT_SUBSCRIBE << 4 | 2);
}

size_t mqtt_write_pingreq(uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  return finish(&out, MQTT_PINGREQ << 4);
}

size_t mqtt_write_disconnect(uint8_t *bytes, size_t capacity) {
  writer out = body_on(bytes, capacity);
  return finish(&out, MQTT_DISCONNECT << 4);
}

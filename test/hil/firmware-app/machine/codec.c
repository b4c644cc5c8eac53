/* The codecs of the device logic on two pipes: a line comes in, a line goes out. And a fuzzer: `codec fuzz <bytes> <seed>`.
 *
 *   J<text>            checks JSON and walks all of it: `ok <normalised>` or `no`
 *   D<version><hex>    reads a server's packet: JSON or `no`
 *   E<json>            writes a client's packet: hex or `no`
 *   Q<json>            `{"dist":...,"p":0.5}`: the distribution's value at p in µs
 *   R<json>            `{"policy":0,"baseUs":...,"capUs":...,"attempt":...,"previousUs":...,"fraction":...}`: delay in µs
 *   S<radians>         the sine, with nine digits */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "json.h"
#include "mqtt_packet.h"
#include "number.h"
#include "quantile.h"

enum { MAX_BYTES = 1 << 17 };
static char line[MAX_BYTES], text[MAX_BYTES];

static void copy_value(json_writer *out, json_value value) {
  json_value name, each;
  static char decoded[MAX_BYTES];
  if (json_is_object(value) || json_is_array(value)) {
    const bool is_object = json_is_object(value);
    json_begin(out, is_object ? '{' : '[');
    json_walk walk = json_walk_of(value);
    while (json_next(&walk, &name, &each)) {
      if (is_object) {
        if (json_text(name, decoded, sizeof decoded) < 0) strcpy(decoded, "?");
        json_name(out, decoded);
      }
      copy_value(out, each);
    }
    json_end(out, is_object ? '}' : ']');
    return;
  }
  const int length = json_text(value, decoded, sizeof decoded);
  if (json_is_string(value)) json_put_text_of(out, decoded, length < 0 ? 0 : (size_t)length);
  else json_put_value(out, value);
}

static const char *normalised(const char *json, size_t length) {
  json_value value;
  if (!json_parse(json, length, &value)) return "no";
  json_writer out = json_writer_on(text, sizeof text);
  copy_value(&out, value);
  return json_finish(&out) < 0 ? "no" : text;
}

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static void put_hex(json_writer *out, const char *name, mqtt_bytes bytes) {
  static char hex[MAX_BYTES];
  size_t length = 0;
  for (size_t i = 0; i < bytes.length && length + 2 < sizeof hex; i += 1) length += (size_t)sprintf(hex + length, "%02x", bytes.bytes[i]);
  json_name(out, name);
  json_put_text_of(out, hex, length);
}

static void put_count(json_writer *out, const char *name, int64_t count) {
  json_name(out, name);
  json_put_integer(out, count);
}

static const char *decoded(const uint8_t *bytes, size_t length, uint8_t version) {
  mqtt_frame frame;
  mqtt_packet packet;
  if (mqtt_read_frame(bytes, length, &frame) != MQTT_FRAME_WHOLE || frame.header_length + frame.body_length != length) return "no";
  if (!mqtt_read_packet(bytes[0], bytes + frame.header_length, frame.body_length, version, &packet)) return "no";
  json_writer out = json_writer_on(text, sizeof text);
  json_begin(&out, '{');
  put_count(&out, "type", packet.type);
  put_count(&out, "reason", packet.reason);
  put_count(&out, "packetId", packet.packet_id);
  put_count(&out, "sessionPresent", packet.session_present);
  put_count(&out, "sessionExpiryS", packet.has_session_expiry ? (int64_t)packet.session_expiry_s : -1);
  put_count(&out, "serverKeepAliveS", packet.has_server_keep_alive ? (int64_t)packet.server_keep_alive_s : -1);
  put_count(&out, "receiveMaximum", packet.receive_maximum);
  put_count(&out, "maximumPacketBytes", packet.maximum_packet);
  put_hex(&out, "assignedClientId", packet.assigned_client_id);
  put_hex(&out, "topic", packet.topic);
  put_hex(&out, "payload", packet.payload);
  put_count(&out, "flags", (packet.dup ? 8 : 0) | packet.qos << 1 | (packet.retain ? 1 : 0));
  put_hex(&out, "reasons", packet.reasons);
  json_end(&out, '}');
  return json_finish(&out) < 0 ? "no" : text;
}

static char pool[MAX_BYTES];
static size_t pooled;
static const char *text_of(json_value value) {
  char *start = pool + pooled;
  const int length = json_text(value, start, sizeof pool - pooled);
  if (length < 0) return NULL;
  pooled += (size_t)length + 1;
  return start;
}

static size_t write_packet(json_value in, uint8_t *bytes, size_t capacity) {
  const uint8_t version = (uint8_t)json_integer_or(json_member(in, "version"), 5);
  const uint16_t id = (uint16_t)json_integer_or(json_member(in, "packetId"), 0);
  const json_value type = json_member(in, "type");
  if (json_text_is(type, "connect")) {
    const json_value will = json_member(in, "will");
    const mqtt_will last = {.topic = text_of(json_member(will, "topic")), .payload = text_of(json_member(will, "payload")),
                            .qos = (uint8_t)json_integer_or(json_member(will, "qos"), 0), .retain = json_is_true(json_member(will, "retain")),
                            .delay_s = (uint32_t)json_integer_or(json_member(will, "delayS"), 0)};
    const mqtt_connect packet = {.version = version, .client_id = text_of(json_member(in, "clientId")),
                                 .clean_start = json_is_true(json_member(in, "cleanStart")),
                                 .keep_alive_s = (uint16_t)json_integer_or(json_member(in, "keepAliveS"), 0),
                                 .session_expiry_s = (uint32_t)json_integer_or(json_member(in, "sessionExpiryS"), 0),
                                 .maximum_packet = (uint32_t)json_integer_or(json_member(in, "maximumPacketBytes"), 0),
                                 .receive_maximum = (uint16_t)json_integer_or(json_member(in, "receiveMaximum"), 0),
                                 .will = json_is_object(will) ? &last : NULL,
                                 .username = text_of(json_member(in, "username")),
                                 .password = text_of(json_member(in, "password"))};
    return mqtt_write_connect(&packet, bytes, capacity);
  }
  if (json_text_is(type, "publish")) {
    const char *topic = text_of(json_member(in, "topic")), *payload = text_of(json_member(in, "payload"));
    const mqtt_publish packet = {.topic = topic, .topic_length = strlen(topic), .payload = (const uint8_t *)payload, .payload_length = strlen(payload),
                                 .qos = (uint8_t)json_integer_or(json_member(in, "qos"), 0), .retain = json_is_true(json_member(in, "retain")),
                                 .dup = json_is_true(json_member(in, "dup")), .packet_id = id,
                                 .trace_key = text_of(json_member(in, "key")), .trace_tag = text_of(json_member(in, "tag"))};
    return mqtt_write_publish(&packet, version, bytes, capacity);
  }
  if (json_text_is(type, "subscribe")) {
    const char *filters[8];
    size_t count = 0;
    json_value name, each;
    json_walk walk = json_walk_of(json_member(in, "filters"));
    while (count < 8 && json_next(&walk, &name, &each)) filters[count++] = text_of(each);
    return mqtt_write_subscribe(id, filters, count, version, bytes, capacity);
  }
  if (json_text_is(type, "puback")) return mqtt_write_puback(id, bytes, capacity);
  if (json_text_is(type, "pingreq")) return mqtt_write_pingreq(bytes, capacity);
  return mqtt_write_disconnect(bytes, capacity);
}

static int64_t reconnect_delay_of(json_value in) {
  const reconnect_plan plan = {(reconnect_policy)json_integer_or(json_member(in, "policy"), 0), json_integer_or(json_member(in, "baseUs"), 0),
                               json_integer_or(json_member(in, "capUs"), 0), 0};
  return reconnect_delay_us(&plan, (uint32_t)json_integer_or(json_member(in, "attempt"), 0),
                            json_integer_or(json_member(in, "previousUs"), 0), json_number_or(json_member(in, "fraction"), 0));
}

static void compute(char kind, const char *in, size_t length) {
  json_value value;
  char number[32];
  if (!json_parse(in, length, &value)) {
    puts("no");
  } else if (kind == 'S') {
    number_format(number_sine(json_number_or(value, 0)), 9, number, sizeof number);
    puts(number);
  } else if (kind == 'Q') {
    const distribution of = distribution_of(value, (distribution){0});
    printf("%lld\n", (long long)quantile_us(&of, json_number_or(json_member(value, "p"), 0)));
  } else {
    printf("%lld\n", (long long)reconnect_delay_of(value));
  }
}

static void answer(char *in) {
  static uint8_t bytes[MAX_BYTES];
  const size_t length = strcspn(in, "\n");
  in[length] = 0;
  if (in[0] == 'J') {
    puts(normalised(in + 1, length - 1));
  } else if (in[0] == 'D') {
    size_t count = 0;
    for (const char *hex = in + 2; hex[0] != 0 && hex[1] != 0; hex += 2) bytes[count++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    uint8_t *exact = malloc(count == 0 ? 1 : count); /* so that reading behind the end is noticed */
    memcpy(exact, bytes, count);
    puts(decoded(exact, count, (uint8_t)(in[1] - '0')));
    free(exact);
  } else if (in[0] != 'E') {
    compute(in[0], in + 1, length - 1);
  } else {
    json_value value;
    pooled = 0;
    const size_t capacity = json_parse(in + 1, length - 1, &value) ? (size_t)json_integer_or(json_member(value, "capacity"), sizeof bytes) : 0;
    const size_t count = capacity == 0 ? 0 : write_packet(value, bytes, capacity < sizeof bytes ? capacity : sizeof bytes);
    if (count == 0) printf("no");
    for (size_t i = 0; i < count; i += 1) printf("%02x", bytes[i]);
    putchar('\n');
  }
  fflush(stdout);
}

static uint64_t draws;
static uint32_t draw(uint32_t below) {
  draws = draws * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(draws >> 33) % below;
}

static const char *const SEEDS[] = {
    "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\ud83d\\ude00\"],\"b\":{\"c\":{}}}", "[[[[\"\\\\\"]]]]", "{\"id\":7,\"op\":\"configure\",\"args\":{}}",
    "\x20\x1a\x00\x00\x17\x11\x00\x00\x0e\x10\x21\x00\x10\x13\x00\x3c\x27\x00\x02\x00\x00\x12\x00\x03" "abc",
    "\x32\x1a\x00\x03" "a/b\x00\x07\x0c\x26\x00\x03" "key\x00\x04" "r1.0hello", "\x90\x06\x00\x01\x00\x01\x80\x00", "\xe0\x02\x8e\x00", "\x40\x02\x00\x09",
};
static const size_t LENGTHS[] = {0, 0, 0, 27, 28, 8, 4, 4};

/* Mutates seeds and gives each to all readers, in a buffer that ends where the input ends. */
static void fuzz(uint64_t bytes, uint64_t seed) {
  uint64_t accepted = 0;
  draws = seed;
  for (uint64_t done = 0; done < bytes;) {
    const size_t kind = draw(sizeof SEEDS / sizeof SEEDS[0]);
    const size_t base = LENGTHS[kind] == 0 ? strlen(SEEDS[kind]) : LENGTHS[kind], longer = draw(4) == 0 ? draw(40) : 0;
    const size_t length = draw(3) == 0 ? draw((uint32_t)base + 1) : base + longer;
    uint8_t *input = malloc(length == 0 ? 1 : length);
    for (size_t i = 0; i < length; i += 1) input[i] = i < base ? (uint8_t)SEEDS[kind][i] : (uint8_t)draw(256);
    for (uint32_t changes = draw(6); length > 0 && changes > 0; changes -= 1) {
      const size_t at = draw((uint32_t)length);
      input[at] = draw(2) == 0 ? (uint8_t)draw(256) : (uint8_t)(input[at] ^ 1u << draw(8));
    }
    accepted += strcmp(normalised((const char *)input, length), "no") != 0;
    accepted += strcmp(decoded(input, length, 4), "no") != 0;
    accepted += strcmp(decoded(input, length, 5), "no") != 0;
    free(input);
    done += length + 1;
  }
  printf("%llu accepted\n", (unsigned long long)accepted);
}

int main(int count, char **values) {
  if (count == 4) {
    fuzz(strtoull(values[2], NULL, 10), strtoull(values[3], NULL, 10));
    return 0;
  }
  while (fgets(line, sizeof line, stdin) != NULL) answer(line);
  return 0;
}

#include "mqtt_client.h"

#include <string.h>

#include "connection.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "mqtt_packet.h"
#include "network.h"
#include "number.h"
#include "outgoing.h"
#include "subscriptions.h"
#include "timer.h"

/* PUBLISH leaves so much of the send buffer to PUBACK, PINGREQ and DISCONNECT. */
enum { RESERVED = 512, TOPIC_MAX = 512 };
static const uint64_t PING_TIMEOUT_MAX_US = 10000000;
static const uint32_t NEVER_EXPIRES_S = 0xffffffffu;

static enum { DETACHED, CONNECTING, CONNECTED } phase;
static mqtt_message_handler *on_message;
static char assigned_id[128];
static size_t window;
static uint32_t maximum_packet;
static uint64_t last_sent_us, last_received_us, interval_us;
static bool is_ping_pending;

/* What came in and is no whole packet yet. Of a packet that is too long only the beginning is kept. */
static uint8_t incoming[MQTT_PACKET_MAX];
static size_t incoming_length, skipped;
static uint8_t outgoing_bytes[NETWORK_SEND_MAX];

static void check_keep_alive(void);
static timer keep_alive = {.fire = check_keep_alive};
static void repeat_publishes(void);
static timer retry = {.fire = repeat_publishes};

void mqtt_client_start(mqtt_message_handler *message) { on_message = message; }

static void detach(void) {
  phase = DETACHED;
  incoming_length = skipped = 0;
  timer_cancel(&keep_alive);
  timer_cancel(&retry);
  subscriptions_detach();
}

void mqtt_client_reset(void) {
  detach();
  subscriptions_clear();
  assigned_id[0] = 0;
}

bool mqtt_client_is_connected(void) { return phase == CONNECTED; }

static bool transmit(size_t length) {
  if (length == 0 || !network_send(outgoing_bytes, length)) return false;
  last_sent_us = hal_now_us();
  return true;
}

void mqtt_client_abort(void) {
  detach();
  network_close(false);
}

static void fail(const char *reason) {
  mqtt_client_abort();
  connection_lost(reason);
}

void mqtt_client_disconnect(void) {
  if (phase == CONNECTED) transmit(mqtt_write_disconnect(outgoing_bytes, sizeof outgoing_bytes));
  detach();
  network_close(true);
}

void mqtt_client_open(void) {
  detach();
  phase = CONNECTING;
  const mqtt_connect packet = {.version = member.mqtt.version,
                               .client_id = assigned_id[0] != 0 ? assigned_id : member.thing,
                               .clean_start = member.mqtt.clean_start,
                               .keep_alive_s = member.mqtt.keep_alive_s,
                               .session_expiry_s = member.mqtt.session_expiry_s,
                               .maximum_packet = MQTT_PACKET_MAX,
                               .receive_maximum = member.mqtt.receive_maximum,
                               .will = member.mqtt.has_will ? &member.mqtt.will : NULL,
                               .username = member.mqtt.username,
                               .password = member.mqtt.password};
  if (!transmit(mqtt_write_connect(&packet, outgoing_bytes, sizeof outgoing_bytes))) fail("packet-too-large");
}

void mqtt_client_subscribe(const char *filter) { subscriptions_want(filter); }

bool mqtt_client_send_subscribe(uint16_t packet_id, const char *const *filters, size_t count) {
  return phase == CONNECTED &&
         transmit(mqtt_write_subscribe(packet_id, filters, count, member.mqtt.version, outgoing_bytes, sizeof outgoing_bytes));
}

/* Pings after an interval without sending, as the server demands, and after one without receiving, to notice a dead path. */
static void check_keep_alive(void) {
  if (phase != CONNECTED) return;
  const uint64_t now_us = hal_now_us();
  if (is_ping_pending) {
    fail("keep-alive-timeout");
    return;
  }
  const uint64_t quiet_since_us = last_sent_us < last_received_us ? last_sent_us : last_received_us;
  if (now_us - quiet_since_us < interval_us) {
    timer_at(&keep_alive, quiet_since_us + interval_us);
    return;
  }
  is_ping_pending = true;
  timer_after(&keep_alive, interval_us / 2 < PING_TIMEOUT_MAX_US ? interval_us / 2 : PING_TIMEOUT_MAX_US);
  transmit(mqtt_write_pingreq(outgoing_bytes, sizeof outgoing_bytes));
}

static int64_t session_lifetime_us(const mqtt_packet *connack) {
  if (member.mqtt.clean_start) return 0;
  if (member.mqtt.version == 4) return INT64_MAX;
  const uint32_t expiry_s = connack->has_session_expiry ? connack->session_expiry_s : member.mqtt.session_expiry_s;
  return expiry_s == NEVER_EXPIRES_S ? INT64_MAX : (int64_t)expiry_s * 1000000;
}

static void take_connack(const mqtt_packet *connack) {
  if (connack->reason >= 0x80) {
    mqtt_client_abort();
    connection_refused(mqtt_reason_name(connack->reason));
    return;
  }
  phase = CONNECTED;
  const mqtt_bytes id = connack->assigned_client_id;
  if (id.length > 0 && id.length < sizeof assigned_id) {
    memcpy(assigned_id, id.bytes, id.length);
    assigned_id[id.length] = 0;
  }
  const size_t receive_maximum = member.mqtt.version == 5 ? connack->receive_maximum : member.mqtt.receive_maximum;
  window = receive_maximum == 0 || receive_maximum > OUTGOING_MAX ? OUTGOING_MAX : receive_maximum;
  maximum_packet = connack->maximum_packet;
  const uint16_t keep_alive_s = connack->has_server_keep_alive ? connack->server_keep_alive_s : member.mqtt.keep_alive_s;
  interval_us = (uint64_t)keep_alive_s * 1000000;
  is_ping_pending = false;
  if (interval_us > 0) timer_after(&keep_alive, interval_us);
  subscriptions_rewind(connack->session_present);
  subscriptions_ask();
  outgoing_rewind(connack->session_present);
  mqtt_client_pump();
  if (phase == CONNECTED) connection_accepted(connack->session_present, session_lifetime_us(connack));
}

static void take_publish(const mqtt_packet *packet) {
  static char topic[TOPIC_MAX];
  if (packet->qos == 2) {
    fail("qos-not-supported");
    return;
  }
  if (packet->topic.length < sizeof topic && skipped == 0) {
    memcpy(topic, packet->topic.bytes, packet->topic.length);
    topic[packet->topic.length] = 0;
    on_message(topic, packet->payload.bytes, packet->payload.length);
  }
  if (packet->qos == 0 || phase != CONNECTED) return;
  /* Without the acknowledgement the server would wait for ever; it delivers again on the next connection. */
  if (!transmit(mqtt_write_puback(packet->packet_id, outgoing_bytes, sizeof outgoing_bytes))) fail("send-buffer-full");
}

static void take_packet(const mqtt_packet *packet) {
  last_received_us = hal_now_us();
  if (phase == CONNECTING) {
    if (packet->type == MQTT_CONNACK) take_connack(packet);
    else fail("protocol-error");
    return;
  }
  switch (packet->type) {
    case MQTT_PUBLISH: take_publish(packet); return;
    case MQTT_PUBACK:
      if (outgoing_acknowledge(packet->packet_id, packet->reason)) mqtt_client_pump();
      return;
    case MQTT_SUBACK: subscriptions_answered(packet->packet_id, packet->reasons.bytes, packet->reasons.length); return;
    case MQTT_UNSUBACK: return;
    case MQTT_PINGRESP: is_ping_pending = false; return;
    case MQTT_DISCONNECT: fail(mqtt_reason_name(packet->reason)); return;
    default: fail("protocol-error");
  }
}

/* @returns how many bytes of the buffer are done with; 0: more is needed, or the connection is gone. */
static size_t take_first(void) {
  mqtt_frame frame;
  const mqtt_framing framing = mqtt_read_frame(incoming, incoming_length, &frame);
  if (framing == MQTT_FRAME_MALFORMED) {
    fail("malformed-packet");
    return 0;
  }
  if (framing == MQTT_FRAME_PARTIAL || incoming_length + skipped < frame.header_length + frame.body_length) return 0;
  const size_t whole = frame.header_length + frame.body_length, kept = whole - skipped;
  mqtt_packet packet;
  if (!mqtt_read_packet(incoming[0], incoming + frame.header_length, kept - frame.header_length, member.mqtt.version, &packet)) {
    fail("malformed-packet");
    return 0;
  }
  take_packet(&packet);
  skipped = 0;
  return phase == DETACHED ? 0 : kept;
}

void mqtt_client_received(const uint8_t *bytes, size_t length) {
  while (length > 0 && phase != DETACHED) {
    mqtt_frame frame;
    size_t room = sizeof incoming - incoming_length, piece = length < room ? length : room;
    /* The buffer is full of one packet: its middle is dropped, its end must still be found. */
    if (room == 0 && mqtt_read_frame(incoming, incoming_length, &frame) == MQTT_FRAME_WHOLE) {
      const size_t missing = frame.header_length + frame.body_length - incoming_length - skipped;
      piece = length < missing ? length : missing;
      skipped += piece;
    } else {
      memcpy(incoming + incoming_length, bytes, piece);
      incoming_length += piece;
    }
    bytes += piece;
    length -= piece;
    size_t done = 0;
    for (size_t taken = take_first(); taken > 0 && phase != DETACHED; taken = take_first()) {
      incoming_length -= taken;
      memmove(incoming, incoming + taken, incoming_length);
      done += taken;
    }
    if (piece == 0 && done == 0) return;
  }
}

void mqtt_client_closed(const char *reason) {
  if (phase == DETACHED) return;
  detach();
  connection_lost(reason);
}

static void trace(const outgoing_message *message, mqtt_publish *packet) {
  static char tag[96];
  if (message->stream < 0 || member.mqtt.version != 5) return;
  const char *prefix = member.streams[message->stream].tag;
  const size_t length = strlen(prefix);
  if (length + 8 > sizeof tag) return;
  memcpy(tag, prefix, length);
  number_format_base36(message->sequence, tag + length, sizeof tag - length);
  packet->trace_key = member.trace_key;
  packet->trace_tag = tag;
}

/* @returns false when the network has no room for it now. */
static bool send_publish(outgoing_message *message) {
  mqtt_publish packet = {.topic = outgoing_topic(message), .topic_length = message->topic_length, .payload = outgoing_payload(message),
                         .payload_length = message->payload_length, .qos = message->qos, .retain = message->retain,
                         .dup = message->is_repeat, .packet_id = message->packet_id};
  trace(message, &packet);
  const size_t length = mqtt_write_publish(&packet, member.mqtt.version, outgoing_bytes, sizeof outgoing_bytes - RESERVED);
  /* [MQTT-3.2.2-15] */
  if (length == 0 || (maximum_packet != 0 && length > maximum_packet)) {
    outgoing_discard(message);
    return true;
  }
  if (length + RESERVED > network_room()) return false;
  outgoing_went(message);
  transmit(length);
  return true;
}

/* Looks again when something has waited long enough for its PUBACK. MQTT 5 forbids to repeat on a connection that stands. */
static void arm_retry(void) {
  const uint64_t retry_us = (uint64_t)member.mqtt.publish_retry_us;
  if (retry_us == 0 || member.mqtt.version == 5 || retry.is_armed) return;
  const uint64_t since_us = outgoing_waiting_since_us();
  if (since_us != UINT64_MAX) timer_at(&retry, since_us + retry_us);
}

/* What is sent again keeps its identifier [MQTT-3.3.1-1]. */
static void repeat_publishes(void) {
  const uint64_t now_us = hal_now_us(), retry_us = (uint64_t)member.mqtt.publish_retry_us;
  while (phase == CONNECTED && now_us >= retry_us) {
    outgoing_message *message = outgoing_overdue(now_us - retry_us);
    if (message == NULL) break;
    message->is_repeat = true;
    if (!send_publish(message)) {
      timer_after(&retry, retry_us);
      return;
    }
  }
  if (phase == CONNECTED) arm_retry();
}

void mqtt_client_pump(void) {
  /* Before any request whose answer a subscription is for. */
  if (phase == CONNECTED) subscriptions_ask();
  while (phase == CONNECTED) {
    outgoing_message *message = outgoing_next(window);
    if (message == NULL || !send_publish(message)) break;
  }
  if (phase == CONNECTED) arm_retry();
}

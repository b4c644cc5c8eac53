/* MQTT 3.1.1 and 5 as a client of this firmware speaks it: writes CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ and DISCONNECT,
 * reads what a server sends. Reading checks every length; what a server may not send is malformed or a protocol error. */
#ifndef FLEETRIG_MQTT_PACKET_H
#define FLEETRIG_MQTT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  MQTT_CONNECT = 1, MQTT_CONNACK, MQTT_PUBLISH, MQTT_PUBACK, MQTT_PUBREC, MQTT_PUBREL, MQTT_PUBCOMP, MQTT_SUBSCRIBE, MQTT_SUBACK,
  MQTT_UNSUBSCRIBE, MQTT_UNSUBACK, MQTT_PINGREQ, MQTT_PINGRESP, MQTT_DISCONNECT, MQTT_AUTH
} mqtt_type;

typedef struct {
  const uint8_t *bytes;
  size_t length;
} mqtt_bytes;

typedef struct {
  const char *topic, *payload;
  uint8_t qos;
  bool retain;
  uint32_t delay_s;
} mqtt_will;

typedef struct {
  uint8_t version; /* 4 or 5 */
  const char *client_id;
  bool clean_start;
  uint16_t keep_alive_s;
  /* MQTT 5 only. */
  uint32_t session_expiry_s, maximum_packet;
  uint16_t receive_maximum;
  const mqtt_will *will;          /* NULL: none */
  const char *username, *password; /* NULL: none */
} mqtt_connect;

typedef struct {
  const char *topic;
  size_t topic_length;
  const uint8_t *payload;
  size_t payload_length;
  uint8_t qos;
  bool retain, dup;
  uint16_t packet_id;               /* QoS 1 */
  const char *trace_key, *trace_tag; /* MQTT 5: a user property, NULL: none */
} mqtt_publish;

/* Each returns the packet's length, or 0 when it does not fit. */
size_t mqtt_write_connect(const mqtt_connect *packet, uint8_t *bytes, size_t capacity);
size_t mqtt_write_publish(const mqtt_publish *packet, uint8_t version, uint8_t *bytes, size_t capacity);
size_t mqtt_write_puback(uint16_t packet_id, uint8_t *bytes, size_t capacity);
size_t mqtt_write_subscribe(uint16_t packet_id, const char *const *filters, size_t count, uint8_t version, uint8_t *bytes, size_t capacity);
size_t mqtt_write_pingreq(uint8_t *bytes, size_t capacity);
size_t mqtt_write_disconnect(uint8_t *bytes, size_t capacity);

/* What a server sent; the pieces point into the bytes it was read from. */
typedef struct {
  mqtt_type type;
  uint8_t reason; /* MQTT 5 codes for both versions */
  uint16_t packet_id;
  /* CONNACK; `has_` says whether the server named it. */
  bool session_present, has_session_expiry, has_server_keep_alive;
  uint32_t session_expiry_s, maximum_packet; /* 0: unlimited */
  uint16_t receive_maximum, server_keep_alive_s;
  mqtt_bytes assigned_client_id;
  /* PUBLISH */
  mqtt_bytes topic, payload;
  uint8_t qos;
  bool dup, retain;
  /* SUBACK, UNSUBACK */
  mqtt_bytes reasons;
} mqtt_packet;

/* The fixed header of the packet that begins at `bytes`. */
typedef enum { MQTT_FRAME_WHOLE, MQTT_FRAME_PARTIAL, MQTT_FRAME_MALFORMED } mqtt_framing;
typedef struct {
  size_t header_length, body_length;
} mqtt_frame;
mqtt_framing mqtt_read_frame(const uint8_t *bytes, size_t length, mqtt_frame *frame);

/* @param first The packet's first byte. @param bytes What follows the fixed header. false: malformed. */
bool mqtt_read_packet(uint8_t first, const uint8_t *bytes, size_t length, uint8_t version, mqtt_packet *packet);

/* The standard's name of a reason code, such as `sessionTakenOver`; `0x..` when it has none. Valid until the next call. */
const char *mqtt_reason_name(uint8_t reason);

#endif

/* What the member wants to send, oldest first: telemetry, and requests to the cloud's services. Telemetry of QoS 1 is also in the outbox
 * of the flash, so that it outlives restarts and power cuts. */
#ifndef FLEETRIG_OUTGOING_H
#define FLEETRIG_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTGOING_MAX = 512, OUTGOING_BYTES = 65536 };

/* Identifiers by use: of outbox records, of other publishes, of SUBSCRIBE. No two things in flight can have the same. */
enum { PACKET_ID_RECORDS = 60000, PACKET_ID_REQUESTS = 62000, PACKET_ID_MAX = 65535 };

typedef struct {
  uint32_t offset, payload_length, record, sequence;
  int64_t due_us; /* of the run */
  uint64_t sent_us; /* of the board: last time */
  uint16_t topic_length, packet_id;
  int16_t stream; /* place among the member's streams; -1: not telemetry */
  uint8_t qos;
  bool retain;
  bool is_live, is_stored, is_buffered, is_in_flight, was_sent, is_repeat;
} outgoing_message;

typedef struct {
  const char *topic, *payload;
  size_t payload_length;
  uint8_t qos;
  bool retain;
  int stream; /* -1: not telemetry */
  uint32_t sequence;
  int64_t due_us;
} outgoing_request;

/* After a restart: what the outbox still holds comes first. */
void outgoing_restore(void);
/* Another member begins: nothing is kept, not even in flash. */
void outgoing_clear(void);
/* Takes over a message; offline, as far as the member's buffer allows. What is given up is told. */
void outgoing_add(const outgoing_request *request, bool is_online);
/* The next message that may go; `window`: how many QoS 1 messages may be in flight. NULL: none. */
outgoing_message *outgoing_next(size_t window);
const char *outgoing_topic(const outgoing_message *message);
const uint8_t *outgoing_payload(const outgoing_message *message);
/* It went out: tells, and keeps it when it is to be acknowledged. */
void outgoing_went(outgoing_message *message);
/* Since when the oldest one waits for its PUBACK; UINT64_MAX: none does. */
uint64_t outgoing_waiting_since_us(void);
/* One that has waited since that time or longer; NULL: none. */
outgoing_message *outgoing_overdue(uint64_t since_us);
/* PUBACK. false: nothing is in flight under that identifier. */
bool outgoing_acknowledge(uint16_t packet_id, uint8_t reason);
/* Gives a message up and tells. */
void outgoing_discard(outgoing_message *message);
/* A new connection: what is unacknowledged goes again, as a repetition when the server has the session [MQTT-4.4.0-1]. */
void outgoing_rewind(bool session_present);
/* Online: what waited for that is the client's now. */
void outgoing_unbuffer(void);
void outgoing_discard_buffered(void);
/* Memory is about to be lost: only what the outbox holds stays. */
void outgoing_forget(void);
size_t outgoing_count(void);
uint32_t outgoing_unstored(void); /* QoS 1 messages that found no room in flash */
/* Raises the next sequence of every stream beyond those of its messages that lie in the outbox, acknowledged ones included. */
void outgoing_sequences_after(uint32_t *sequences);

#endif

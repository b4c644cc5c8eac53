#include "outgoing.h"

#include <string.h>

#include "events.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "sequences.h"
#include "storage.h"

static outgoing_message messages[OUTGOING_MAX];
static size_t count; /* slots in use, dead ones between included */
static uint8_t bytes[OUTGOING_BYTES];
static size_t used;
static uint16_t last_request_id = PACKET_ID_RECORDS;
static uint32_t unstored;

/* How a message lies in the outbox: this, then topic and payload. */
typedef struct {
  uint8_t layout, qos, retain, stream;
  uint32_t sequence;
  int64_t due_us;
  uint16_t topic_length, spare;
  uint32_t generation;
} record_header;
enum { RECORD_LAYOUT = 1, RECORD_MAX = 1024 };

static void tell(const char *name, const outgoing_message *message, int code) {
  if (message->stream < 0) return;
  json_writer *out = events_begin(name);
  json_name(out, "s");
  json_put_integer(out, member.streams[message->stream].number);
  json_name(out, "q");
  json_put_integer(out, message->sequence);
  if (code >= 0) {
    json_name(out, "code");
    json_put_integer(out, code);
  } else {
    json_name(out, "due");
    json_put_integer(out, origin_us + message->due_us);
  }
  json_name(out, "at");
  json_put_integer(out, (int64_t)hal_now_us());
  events_send();
}

static void bury(outgoing_message *message) {
  if (message->is_stored) outbox_acknowledge(message->record);
  message->is_live = false;
  while (count > 0 && !messages[count - 1].is_live) count -= 1;
  used = count == 0 ? 0 : messages[count - 1].offset + messages[count - 1].topic_length + messages[count - 1].payload_length;
}

static void compact(void) {
  size_t kept = 0, end = 0;
  for (size_t i = 0; i < count; i += 1) {
    outgoing_message message = messages[i];
    if (!message.is_live) continue;
    const size_t length = message.topic_length + message.payload_length;
    memmove(bytes + end, bytes + message.offset, length);
    message.offset = (uint32_t)end;
    end += length;
    messages[kept++] = message;
  }
  count = kept;
  used = end;
}

static bool has_room(size_t length) {
  if (count < OUTGOING_MAX && length <= sizeof bytes - used) return true;
  compact();
  return count < OUTGOING_MAX && length <= sizeof bytes - used;
}

static size_t buffered(outgoing_message **oldest) {
  size_t found = 0;
  for (size_t i = 0; i < count; i += 1) {
    if (!messages[i].is_live || !messages[i].is_buffered) continue;
    if (found++ == 0) *oldest = &messages[i];
  }
  return found;
}

void outgoing_discard(outgoing_message *message) {
  tell("discarded", message, -1);
  bury(message);
}

/* Makes place by the member's rule. @returns false when the new message is the one to give up. */
static bool make_place(const outgoing_request *request, bool is_online) {
  const size_t length = strlen(request->topic) + request->payload_length;
  outgoing_message *oldest = NULL;
  if (!is_online && buffered(&oldest) >= member.buffer.capacity) {
    if (member.buffer.capacity == 0 || member.buffer.drops_newest) return false;
    outgoing_discard(oldest);
  }
  while (!has_room(length)) {
    if (buffered(&oldest) == 0 || (request->stream >= 0 && member.buffer.drops_newest)) return false;
    outgoing_discard(oldest);
  }
  return true;
}

static void store(outgoing_message *message, const outgoing_request *request) {
  static uint8_t record[RECORD_MAX];
  const record_header header = {.layout = RECORD_LAYOUT, .qos = message->qos, .retain = message->retain, .stream = (uint8_t)message->stream,
                                .sequence = message->sequence, .due_us = message->due_us, .topic_length = message->topic_length,
                                .generation = memory->generation};
  const size_t length = sizeof header + message->topic_length + request->payload_length;
  if (length <= sizeof record) {
    memcpy(record, &header, sizeof header);
    memcpy(record + sizeof header, bytes + message->offset, length - sizeof header);
    message->is_stored = outbox_append(record, length, &message->record);
  }
  if (!message->is_stored) unstored += 1;
}

static uint16_t next_request_id(void) {
  last_request_id = last_request_id >= PACKET_ID_REQUESTS ? PACKET_ID_RECORDS + 1 : (uint16_t)(last_request_id + 1);
  return last_request_id;
}

static void number(outgoing_message *message) {
  if (message->qos == 0) return;
  message->packet_id = message->is_stored ? (uint16_t)(1 + message->record % PACKET_ID_RECORDS) : next_request_id();
}

void outgoing_add(const outgoing_request *request, bool is_online) {
  outgoing_message message = {.payload_length = (uint32_t)request->payload_length, .sequence = request->sequence, .due_us = request->due_us,
                              .topic_length = (uint16_t)strlen(request->topic), .stream = (int16_t)request->stream, .qos = request->qos,
                              .retain = request->retain, .is_live = true, .is_buffered = !is_online};
  if (!make_place(request, is_online)) {
    if (request->stream >= 0) sequences_unkept((size_t)request->stream);
    tell("discarded", &message, -1);
    if (request->stream < 0) link_log('E', "mqtt", "no room for a message to %s", request->topic);
    return;
  }
  message.offset = (uint32_t)used;
  memcpy(bytes + used, request->topic, message.topic_length);
  memcpy(bytes + used + message.topic_length, request->payload, request->payload_length);
  used += message.topic_length + request->payload_length;
  if (message.qos == 1 && message.stream >= 0) store(&message, request);
  if (message.is_stored) sequences_kept(message.record);
  else if (message.stream >= 0) sequences_unkept((size_t)message.stream);
  number(&message);
  messages[count++] = message;
}

static bool restore_one(uint32_t id, const void *record, size_t length) {
  record_header header;
  if (length < sizeof header) return true;
  memcpy(&header, record, sizeof header);
  const size_t rest = length - sizeof header;
  const bool is_ours = header.layout == RECORD_LAYOUT && header.topic_length <= rest && header.stream < member.stream_count;
  if (!is_ours || !has_room(rest)) return true;
  memcpy(bytes + used, (const uint8_t *)record + sizeof header, rest);
  outgoing_message message = {.offset = (uint32_t)used, .payload_length = (uint32_t)(rest - header.topic_length), .record = id,
                              .sequence = header.sequence, .due_us = header.due_us, .topic_length = header.topic_length,
                              .stream = (int16_t)header.stream, .qos = header.qos, .retain = header.retain != 0, .is_live = true,
                              .is_stored = true};
  /* After a power cut nobody knows what was sent; it may have been. */
  message.was_sent = memory->sent_until == 0 || (int32_t)(memory->sent_until - id) > 0;
  used += rest;
  number(&message);
  messages[count++] = message;
  return true;
}

void outgoing_restore(void) {
  count = used = 0;
  outbox_each(restore_one);
}

void outgoing_clear(void) {
  count = used = 0;
  unstored = 0;
  outbox_clear();
}

outgoing_message *outgoing_next(size_t window) {
  size_t in_flight = 0;
  for (size_t i = 0; i < count; i += 1) in_flight += messages[i].is_live && messages[i].is_in_flight;
  for (size_t i = 0; i < count; i += 1) {
    outgoing_message *message = &messages[i];
    if (!message->is_live || message->is_buffered || message->is_in_flight) continue;
    if (message->qos == 0 || in_flight < window) return message;
  }
  return NULL;
}

const char *outgoing_topic(const outgoing_message *message) { return (const char *)bytes + message->offset; }
const uint8_t *outgoing_payload(const outgoing_message *message) { return bytes + message->offset + message->topic_length; }

void outgoing_went(outgoing_message *message) {
  tell(message->was_sent ? "resent" : "sent", message, -1);
  message->was_sent = true;
  message->sent_us = hal_now_us();
  if (message->is_stored && (int32_t)(message->record + 1 - memory->sent_until) > 0) memory->sent_until = message->record + 1;
  if (message->qos == 0) bury(message);
  else message->is_in_flight = true;
}

uint64_t outgoing_waiting_since_us(void) {
  uint64_t since_us = UINT64_MAX;
  for (size_t i = 0; i < count; i += 1) {
    const outgoing_message *message = &messages[i];
    if (message->is_live && message->is_in_flight && message->sent_us < since_us) since_us = message->sent_us;
  }
  return since_us;
}

outgoing_message *outgoing_overdue(uint64_t since_us) {
  for (size_t i = 0; i < count; i += 1) {
    if (messages[i].is_live && messages[i].is_in_flight && messages[i].sent_us <= since_us) return &messages[i];
  }
  return NULL;
}

bool outgoing_acknowledge(uint16_t packet_id, uint8_t reason) {
  for (size_t i = 0; i < count; i += 1) {
    outgoing_message *message = &messages[i];
    if (!message->is_live || !message->is_in_flight || message->packet_id != packet_id) continue;
    tell("acked", message, reason);
    bury(message);
    return true;
  }
  return false;
}

void outgoing_rewind(bool session_present) {
  for (size_t i = 0; i < count; i += 1) {
    messages[i].is_in_flight = false;
    messages[i].is_repeat = session_present && messages[i].was_sent;
  }
}

void outgoing_unbuffer(void) {
  for (size_t i = 0; i < count; i += 1) messages[i].is_buffered = false;
}

void outgoing_discard_buffered(void) {
  outgoing_message *oldest = NULL;
  while (buffered(&oldest) > 0) outgoing_discard(oldest);
}

void outgoing_forget(void) {
  for (size_t i = count; i-- > 0;) {
    outgoing_message *message = &messages[i];
    if (i >= count || !message->is_live || message->is_stored) continue;
    if (message->was_sent) bury(message);
    else outgoing_discard(message);
  }
}

size_t outgoing_count(void) {
  size_t live = 0;
  for (size_t i = 0; i < count; i += 1) live += messages[i].is_live;
  return live;
}

uint32_t outgoing_unstored(void) { return unstored; }

static uint32_t *after;

static bool count_one(uint32_t id, const void *record, size_t length) {
  record_header header;
  (void)id;
  if (length < sizeof header) return true;
  memcpy(&header, record, sizeof header);
  const bool is_ours = header.layout == RECORD_LAYOUT && header.generation == memory->generation && header.stream < member.stream_count;
  if (is_ours && header.sequence >= after[header.stream]) after[header.stream] = header.sequence + 1;
  return true;
}

void outgoing_sequences_after(uint32_t *sequences) {
  after = sequences;
  outbox_each_ever(count_one);
}

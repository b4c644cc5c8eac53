#include "events.h"

#include <string.h>

#include "hal.h"
#include "link.h"
#include "marker.h"

/* Messages one behind the other, each with its length in front. */
static char queue[16384];
static size_t used;
static uint32_t dropped;

static char text[LINK_MESSAGE_MAX];
static json_writer writer;

json_writer *events_begin_plain(void) {
  writer = json_writer_on(text, sizeof text);
  json_begin(&writer, '{');
  return &writer;
}

json_writer *events_begin(const char *name) {
  events_begin_plain();
  json_name(&writer, "ev");
  json_put_text(&writer, name);
  return &writer;
}

void events_send(void) {
  json_end(&writer, '}');
  const int length = json_finish(&writer);
  const size_t needed = (size_t)(length < 0 ? 0 : length) + sizeof(uint16_t);
  if (length < 0 || needed > sizeof queue - used) {
    dropped += 1;
    return;
  }
  const uint16_t stored = (uint16_t)length;
  memcpy(queue + used, &stored, sizeof stored);
  memcpy(queue + used + sizeof stored, text, stored);
  used += needed;
  events_poll();
}

void events_poll(void) {
  size_t at = 0;
  while (at < used && link_is_open()) {
    uint16_t length;
    memcpy(&length, queue + at, sizeof length);
    if (!link_send(LINK_CONTROL, queue + at + sizeof length, length, true)) break;
    at += sizeof length + length;
  }
  memmove(queue, queue + at, used - at);
  used -= at;
}

bool events_are_waiting(void) { return used > 0; }
uint32_t events_dropped(void) { return dropped; }
void events_forget(void) { used = 0; }

static void put_one(const char *event, const char *name, const char *value) {
  json_writer *out = events_begin(event);
  json_name(out, name);
  json_put_text(out, value);
  json_name(out, "at");
  json_put_integer(out, (int64_t)hal_now_us());
  events_send();
}

void events_mode(const char *mode) { put_one("mode", "mode", mode); }
void events_rebooting(const char *why) { put_one("rebooting", "why", why); }
void events_firmware(const char *version) { put_one("firmware", "version", version); }

static json_writer *begin_marker(const char *name) {
  json_writer *out = events_begin("marker");
  json_name(out, "name");
  json_put_text(out, name);
  json_name(out, "at");
  json_put_integer(out, (int64_t)hal_now_us());
  return out;
}

void marker(const char *name, double value) {
  json_writer *out = begin_marker(name);
  json_name(out, "value");
  json_put_number(out, value, 6);
  events_send();
}

void marker_us(const char *name, uint64_t us) {
  json_writer *out = begin_marker(name);
  json_name(out, "us");
  json_put_integer(out, (int64_t)us);
  events_send();
}

void milestone(const char *name) { marker_us(name, hal_now_us()); }

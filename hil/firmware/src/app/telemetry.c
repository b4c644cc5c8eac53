#include "telemetry.h"

#include <string.h>

#include "connection.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "model.h"
#include "mqtt_client.h"
#include "number.h"
#include "outgoing.h"
#include "sequences.h"
#include "signals.h"
#include "timer.h"

enum { PAYLOAD_MAX = 4096 };

static struct {
  int64_t every_us, next_us; /* next: of the run */
} streams[MEMBER_STREAMS_MAX];
static bool is_running;
static int64_t configured_every_us;
static int slowdown;

static void tick(void);
static timer next_tick = {.fire = tick};

static void arm(void) {
  int64_t first = INT64_MAX;
  for (size_t i = 0; i < member.stream_count; i += 1) {
    if (streams[i].next_us < first) first = streams[i].next_us;
  }
  timer_cancel(&next_tick);
  if (!is_running || first == INT64_MAX) return;
  const int64_t due_us = first + origin_us;
  timer_at(&next_tick, due_us < 0 ? 0 : (uint64_t)due_us);
}

void telemetry_reset(void) {
  telemetry_stop();
  configured_every_us = 0;
  slowdown = 1;
  for (size_t i = 0; i < member.stream_count; i += 1) streams[i].every_us = member.streams[i].every_us;
}

/* The grid keeps its share of the interval when the interval changes. */
static int64_t phase_us(size_t stream) {
  const member_stream *plan = &member.streams[stream];
  if (streams[stream].every_us == plan->every_us) return plan->offset_us;
  return number_to_i64(number_floor((double)plan->offset_us / (double)plan->every_us * (double)streams[stream].every_us));
}

/* The first instant of the grid at or after `from_us`. */
static void aim(size_t stream, int64_t from_us) {
  const int64_t first_us = phase_us(stream), every_us = streams[stream].every_us;
  const int64_t behind_us = from_us - first_us;
  const int64_t ticks = behind_us <= 0 ? 0 : (behind_us + every_us - 1) / every_us;
  streams[stream].next_us = first_us + ticks * every_us;
}

void telemetry_start(void) {
  const int64_t now_us = run_us(hal_now_us());
  const int64_t from_us = now_us > member.connect_at_us ? now_us : member.connect_at_us;
  is_running = true;
  if (sequences_are_lost()) sequences_count_anew(now_us);
  for (size_t i = 0; i < member.stream_count; i += 1) aim(i, from_us);
  arm();
}

void telemetry_stop(void) {
  is_running = false;
  timer_cancel(&next_tick);
}

bool telemetry_is_running(void) { return is_running; }

void telemetry_configure(int64_t every_us, int wanted_slowdown) {
  if (every_us > 0) configured_every_us = every_us;
  if (wanted_slowdown > 0) slowdown = wanted_slowdown;
  const int64_t after_us = run_us(hal_now_us()) + 1;
  for (size_t i = 0; i < member.stream_count; i += 1) {
    const int64_t wanted_us = (configured_every_us > 0 ? configured_every_us : member.streams[i].every_us) * slowdown;
    if (wanted_us == streams[i].every_us) continue;
    streams[i].every_us = wanted_us;
    aim(i, after_us > member.connect_at_us ? after_us : member.connect_at_us);
  }
  arm();
}

/* @returns how much of the template the placeholder takes, and its value in `text`; 0: it is none. */
static size_t placeholder(const char *at, uint32_t sequence, uint64_t now_us, char text[32]) {
  if (strncmp(at, "{seq}", 5) == 0) return number_format_integer(sequence, text, 32), 5;
  if (strncmp(at, "{now}", 5) == 0) return number_format_integer(wall_ms(now_us), text, 32), 5;
  if (strncmp(at, "{state.", 7) != 0) return 0;
  const char *name = at + 7, *end = strchr(name, '}');
  double value;
  int decimals;
  if (end == NULL) return 0;
  if (!signals_sample(name, (size_t)(end - name), run_us(now_us), &value, &decimals)) memcpy(text, "null", 5);
  else if (number_format(value, decimals, text, 32) == 0) memcpy(text, "0", 2);
  return (size_t)(end - at) + 1;
}

/* Replaces {seq}, {now} and {state.x}. @returns the length; -1 when it does not fit. */
static int render(const char *template, uint32_t sequence, uint64_t now_us, char *text, size_t capacity) {
  size_t length = 0;
  while (*template != 0) {
    char value[32];
    const size_t taken = *template == '{' ? placeholder(template, sequence, now_us, value) : 0;
    const size_t added = taken > 0 ? strlen(value) : 1;
    if (length + added >= capacity) return -1;
    memcpy(text + length, taken > 0 ? value : template, added);
    length += added;
    template += taken > 0 ? taken : 1;
  }
  text[length] = 0;
  return (int)length;
}

static void publish(size_t place, int64_t due_us) {
  static char payload[PAYLOAD_MAX];
  const connection_state state = connection_now();
  if (state == CONNECTION_BOOTING || state == CONNECTION_STOPPED) return;
  const member_stream *stream = &member.streams[place];
  const uint32_t sequence = sequences_take(place);
  const int length = render(stream->payload, sequence, hal_now_us(), payload, sizeof payload);
  if (length < 0) link_log('E', "telemetry", "a payload of stream %d is too long", (int)stream->number);
  const outgoing_request request = {.topic = stream->topic, .payload = payload, .payload_length = length < 0 ? 0 : (size_t)length,
                                    .qos = stream->qos, .retain = stream->retain, .stream = (int)place, .sequence = sequence, .due_us = due_us};
  outgoing_add(&request, state == CONNECTION_ONLINE && mqtt_client_is_connected());
  mqtt_client_pump();
  model_watch_signals();
}

static void tick(void) {
  const int64_t now_us = run_us(hal_now_us());
  for (size_t i = 0; i < member.stream_count && is_running; i += 1) {
    if (streams[i].next_us > now_us) continue;
    const int64_t due_us = streams[i].next_us;
    streams[i].next_us += streams[i].every_us;
    publish(i, due_us);
  }
  arm();
}

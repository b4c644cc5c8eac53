#include "shadow_agent.h"

#include <string.h>

#include "events.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "model.h"
#include "number.h"
#include "prng.h"
#include "storage.h"
#include "telemetry.h"
#include "timer.h"
#include "topics.h"

static const char KEY[] = "shadow";

static char config[SHADOW_STATE_MAX], pending[SHADOW_STATE_MAX];
static size_t config_length, pending_length;
static int64_t version;
static bool follows, is_applying;
static prng draws;

static void apply(void);
static timer apply_timer = {.fire = apply};

static json_value parsed(const char *text, size_t length) {
  json_value value = {NULL, 0};
  json_parse(text, length, &value);
  return value;
}

static const struct {
  const char *path[2];
} INTERVALS[] = {{{"reporting_interval", NULL}}, {{"reportingIntervalS", NULL}}, {{"telemetry", "everyS"}}};

/* The telemetry interval that a configuration asks for, in µs; 0: none between 0.1 s and a week. */
static int64_t reporting_every_us(json_value changes) {
  for (size_t i = 0; i < sizeof INTERVALS / sizeof INTERVALS[0]; i += 1) {
    json_value value = json_member(changes, INTERVALS[i].path[0]);
    if (INTERVALS[i].path[1] != NULL) value = json_member(value, INTERVALS[i].path[1]);
    if (!json_is_present(value) || json_is_null(value)) continue;
    const double seconds = json_number_or(value, 0);
    return seconds >= 0.1 && seconds <= 7 * 86400 ? number_to_i64(number_round(seconds * 1e6)) : 0;
  }
  return 0;
}

void shadow_agent_start(bool is_new, bool wanted) {
  follows = wanted;
  is_applying = false;
  version = 0;
  timer_cancel(&apply_timer);
  draws = prng_stream(member.seed ^ (uint64_t)memory->elapsed_us << 20, "shadow/apply-time");
  if (is_new) storage_remove(KEY);
  const int stored = is_new ? -1 : storage_get(KEY, config, sizeof config);
  config_length = stored > 0 ? (size_t)stored : 2;
  if (stored <= 0) memcpy(config, "{}", 2);
  telemetry_configure(reporting_every_us(parsed(config, config_length)), 0);
}

static bool topic_of(char topic[TOPIC_TEXT_MAX], const char *suffix) {
  if (member.shadow_name == NULL) return TOPIC(topic, "/shadow", suffix);
  return TOPIC(topic, "/shadow/name/", member.shadow_name, suffix);
}

void shadow_agent_connected(void) {
  char topic[TOPIC_TEXT_MAX];
  if (!follows) return;
  /* A shadow may have been deleted and begun anew while the device was away. */
  version = 0;
  if (topic_of(topic, "/update/delta")) model_subscribe(topic);
  if (topic_of(topic, "/get/accepted")) model_subscribe(topic);
  if (topic_of(topic, "/get")) model_request(topic, "", 0);
}

static void take(json_value state, json_value of_version) {
  double number;
  if (!json_is_object(state) || !json_number(of_version, &number)) return;
  const int64_t newest = number_to_i64(number);
  if (is_applying ? newest <= version : newest < version) return;
  if (state.length > sizeof pending) {
    link_log('E', "shadow", "a delta of %u bytes is too long", (unsigned)state.length);
    return;
  }
  memcpy(pending, state.text, state.length);
  pending_length = state.length;
  version = newest;
  is_applying = true;
  timer_after(&apply_timer, (uint64_t)quantile_us(&member.apply_time, prng_fraction(&draws)));
}

void shadow_agent_message(const char *topic, const uint8_t *payload, size_t length) {
  char expected[TOPIC_TEXT_MAX];
  if (!follows) return;
  const bool is_delta = topic_of(expected, "/update/delta") && strcmp(topic, expected) == 0;
  const bool is_document = !is_delta && topic_of(expected, "/get/accepted") && strcmp(topic, expected) == 0;
  if (!is_delta && !is_document) return;
  const json_value body = parsed((const char *)payload, length), state = json_member(body, "state");
  take(is_delta ? state : json_member(state, "delta"), json_member(body, "version"));
}

static json_value find_same(json_value object, json_value wanted) {
  json_value name, each, found = {NULL, 0};
  json_walk walk = json_walk_of(object);
  while (json_next(&walk, &name, &each)) {
    if (json_same_text(name, wanted)) found = each;
  }
  return found;
}

static void put_name(json_writer *out, json_value name) {
  json_put_value(out, name);
  out->text[out->length < out->capacity ? out->length++ : 0] = ':';
  out->is_truncated = out->is_truncated || out->length >= out->capacity;
  out->needs_comma = false;
}

/* Objects merge, everything else is replaced; depth is bounded by the parser. */
static void merge(json_writer *out, json_value present, json_value changes) {
  json_value name, each;
  json_begin(out, '{');
  json_walk walk = json_walk_of(present);
  while (!out->is_truncated && json_next(&walk, &name, &each)) {
    const json_value change = find_same(changes, name);
    put_name(out, name);
    if (json_is_object(change) && json_is_object(each)) merge(out, each, change);
    else json_put_value(out, json_is_present(change) ? change : each);
  }
  walk = json_walk_of(changes);
  while (!out->is_truncated && json_next(&walk, &name, &each)) {
    if (json_is_present(find_same(present, name))) continue;
    put_name(out, name);
    json_put_value(out, each);
  }
  json_end(out, '}');
}

static bool adopt(json_value changes) {
  static char merged[SHADOW_STATE_MAX];
  json_writer out = json_writer_on(merged, sizeof merged);
  merge(&out, parsed(config, config_length), changes);
  const int length = json_finish(&out);
  if (length < 0) {
    link_log('E', "shadow", "the configuration grew too long");
    return false;
  }
  memcpy(config, merged, (size_t)length);
  config_length = (size_t)length;
  storage_put(KEY, config, config_length);
  return true;
}

static void tell_config(void) {
  json_writer *out = events_begin("config");
  if (member.shadow_name != NULL) {
    json_name(out, "shadow");
    json_put_text(out, member.shadow_name);
  }
  json_name(out, "state");
  json_put_raw(out, config, config_length);
  json_name(out, "at");
  json_put_integer(out, (int64_t)hal_now_us());
  events_send();
}

static void report(void) {
  static char body[SHADOW_STATE_MAX + 32];
  char topic[TOPIC_TEXT_MAX];
  json_writer out = json_writer_on(body, sizeof body);
  json_begin(&out, '{');
  json_name(&out, "state");
  json_begin(&out, '{');
  json_name(&out, "reported");
  json_put_raw(&out, pending, pending_length);
  json_end(&out, '}');
  json_end(&out, '}');
  const int length = json_finish(&out);
  if (length > 0 && topic_of(topic, "/update")) model_request(topic, body, (size_t)length);
}

static void apply(void) {
  const json_value changes = parsed(pending, pending_length);
  model_enter();
  is_applying = false;
  if (adopt(changes)) {
    link_log('I', "shadow", "applied version %ld", (long)version);
    tell_config();
    telemetry_configure(reporting_every_us(changes), 0);
    report();
  }
  model_leave();
}

const char *shadow_agent_state(void) { return is_applying ? "applying" : "steady"; }

#include "commands.h"

#include <string.h>

#include "app.h"
#include "configure.h"
#include "connection.h"
#include "credentials.h"
#include "events.h"
#include "hal.h"
#include "lifecycle.h"
#include "link.h"
#include "member.h"
#include "model.h"
#include "outgoing.h"
#include "signals.h"
#include "storage.h"

typedef enum { DONE, BAD_ARGS, UNSUPPORTED, BUSY, IMPOSSIBLE, ANSWERED } outcome;

static const char *const ERRORS[] = {[BAD_ARGS] = "bad-args", [UNSUPPORTED] = "unsupported", [BUSY] = "busy", [IMPOSSIBLE] = "failed"};
enum { NAME_MAX = 64, NVS_VALUE_MAX = 2048, TEXT_MAX = 1024 };
static const int64_t LONGEST_US = (int64_t)1 << 60;

static int64_t current_id;
/* What to add to an error. */
static const char *sentence;

static json_writer *begin_answer(bool is_ok) {
  json_writer *out = events_begin_plain();
  json_name(out, "id");
  json_put_integer(out, current_id);
  json_name(out, "ok");
  json_put_bool(out, is_ok);
  if (is_ok) json_name(out, "value");
  return out;
}

static outcome answer(void) {
  events_send();
  return ANSWERED;
}

static void answer_error(const char *error, const char *message) {
  json_writer *out = begin_answer(false);
  json_name(out, "error");
  json_put_text(out, error);
  json_name(out, "message");
  json_put_text(out, message);
  events_send();
}

static bool read_us(json_value args, const char *name, int64_t *us) {
  double number;
  if (!json_number(json_member(args, name), &number) || number < -(double)LONGEST_US || number > (double)LONGEST_US) return false;
  *us = json_integer_or(json_member(args, name), 0);
  return true;
}

static outcome op_configure(json_value args) {
  events_forget();
  if (configure(args, &sentence)) return DONE;
  return BAD_ARGS;
}

static outcome op_start(json_value args) {
  int64_t at_us = (int64_t)hal_now_us();
  if (json_is_present(json_member(args, "at")) && !read_us(args, "at", &at_us)) return BAD_ARGS;
  if (!member_is_configured()) {
    sentence = "There is no configuration.";
    return IMPOSSIBLE;
  }
  configure_start(at_us);
  return DONE;
}

static outcome op_stop(json_value args) {
  (void)args;
  configure_stop();
  return DONE;
}

static outcome op_connect(json_value args) {
  (void)args;
  connection_connect();
  return DONE;
}

static outcome op_disconnect(json_value args) {
  char action[NAME_MAX];
  int64_t hold_us = 0;
  const json_value mode = json_member(args, "mode"), named = json_member(args, "action");
  const bool is_graceful = json_text_is(mode, "graceful");
  if (!is_graceful && !json_text_is(mode, "ungraceful")) return BAD_ARGS;
  if (json_is_present(json_member(args, "holdUs")) && !read_us(args, "holdUs", &hold_us)) return BAD_ARGS;
  connection_disconnect(is_graceful, hold_us, json_text(named, action, sizeof action) < 0 ? NULL : action);
  return DONE;
}

static outcome op_set_state(json_value args) {
  json_value name, change;
  char text[NAME_MAX];
  bool is_known = json_is_object(json_member(args, "values"));
  json_walk walk = json_walk_of(json_member(args, "values"));
  while (json_next(&walk, &name, &change)) {
    double to;
    int64_t over_us = 0;
    if (json_is_object(change)) read_us(change, "overUs", &over_us);
    const json_value target = json_is_object(change) ? json_member(change, "rampTo") : change;
    is_known = is_known && json_number(target, &to) && json_text(name, text, sizeof text) > 0 &&
               signals_move(text, to, over_us, run_us(hal_now_us()));
  }
  sentence = "There is no such signal, or the value is no number.";
  return is_known ? DONE : BAD_ARGS;
}

static outcome op_fault(json_value args) {
  char fault[NAME_MAX];
  if (json_text(json_member(args, "fault"), fault, sizeof fault) < 1) return BAD_ARGS;
  return model_fault(fault, json_is_true(json_member(args, "active")), json_member(args, "detail")) ? DONE : UNSUPPORTED;
}

static outcome op_time(json_value args) {
  int64_t at_us = (int64_t)hal_now_us();
  double ms;
  if (!json_number(json_member(args, "wallMs"), &ms) || ms < 0 || ms > 9e14) return BAD_ARGS;
  read_us(args, "at", &at_us);
  wall_set((int64_t)(ms * 1000), at_us);
  return DONE;
}

static outcome op_echo(json_value args) {
  const json_value data = json_member(args, "data");
  if (!json_is_string(data)) return BAD_ARGS;
  json_writer *out = begin_answer(true);
  json_put_value(out, data);
  return answer();
}

static void put_count(json_writer *out, const char *name, int64_t count) {
  json_name(out, name);
  json_put_integer(out, count);
}

static outcome op_stats(json_value args) {
  (void)args;
  const link_counters *link = link_count();
  json_writer *out = begin_answer(true);
  json_begin(out, '{');
  json_name(out, "link");
  json_begin(out, '{');
  put_count(out, "framesIn", link->frames_in);
  put_count(out, "framesOut", link->frames_out);
  put_count(out, "badFrames", link->bad_frames);
  put_count(out, "dataIn", link->data_in);
  put_count(out, "dataOut", link->data_out);
  put_count(out, "duplicates", link->duplicates);
  put_count(out, "gaps", link->gaps);
  put_count(out, "repeatedByTimeout", link->repeated_by_timeout);
  put_count(out, "repeatedByAck", link->repeated_by_ack);
  put_count(out, "creditProbes", link->credit_probes);
  put_count(out, "stale", link->stale);
  put_count(out, "overflows", link->overflows);
  put_count(out, "unknown", link->unknown);
  put_count(out, "droppedLogs", link->dropped_logs);
  put_count(out, "droppedMessages", link->dropped_messages);
  json_end(out, '}');
  put_count(out, "heap", 0); /* there is none */
  put_count(out, "dropped", events_dropped());
  put_count(out, "outgoing", (int64_t)outgoing_count());
  put_count(out, "outbox", (int64_t)outbox_count());
  put_count(out, "unstored", outgoing_unstored());
  put_count(out, "longestLoopUs", (int64_t)app_longest_us());
  json_end(out, '}');
  return answer();
}

static outcome op_log(json_value args) {
  char text[TEXT_MAX], level[8] = "I";
  if (json_text(json_member(args, "text"), text, sizeof text) < 0) return BAD_ARGS;
  json_text(json_member(args, "level"), level, sizeof level);
  const char letter = level[0] >= 'a' && level[0] <= 'z' ? (char)(level[0] - 32) : level[0];
  link_log(letter == 0 || strchr("EWIDV", letter) == NULL ? 'I' : letter, "app", "%s", text);
  return DONE;
}

static outcome op_reboot(json_value args) {
  (void)args;
  events_rebooting("command");
  lifecycle_restart();
  return DONE;
}

static outcome op_sleep(json_value args) {
  int64_t us = 0;
  if (!read_us(args, "us", &us) || us < 0) return BAD_ARGS;
  json_writer *out = events_begin("sleeping");
  json_name(out, "us");
  json_put_integer(out, us);
  put_count(out, "at", (int64_t)hal_now_us());
  events_send();
  lifecycle_sleep((uint64_t)us);
  return DONE;
}

static outcome op_crash(json_value args) {
  static const char *const KINDS[] = {"load-fault", "illegal-instruction", "abort", "stack-overflow", "hang", "silent", "half-frame"};
  for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i += 1) {
    if (!json_text_is(json_member(args, "kind"), KINDS[i])) continue;
    lifecycle_crash(KINDS[i]);
    return DONE;
  }
  return BAD_ARGS;
}

static outcome op_gpio(json_value args) {
  int64_t pin = -1;
  const json_value level = json_member(args, "level");
  if (!read_us(args, "pin", &pin) || pin < 0 || pin > 63) return BAD_ARGS;
  if (json_is_present(level) && !json_is_null(level)) {
    const bool is_high = json_is_true(level) || json_integer_or(level, 0) != 0, was_high = hal_gpio_read((int)pin);
    hal_gpio_write((int)pin, is_high);
    if (is_high != was_high) {
      json_writer *event = events_begin("gpio");
      put_count(event, "pin", pin);
      json_name(event, "level");
      json_put_bool(event, is_high);
      put_count(event, "at", (int64_t)hal_now_us());
      events_send();
    }
  }
  json_writer *out = begin_answer(true);
  json_put_bool(out, hal_gpio_read((int)pin));
  return answer();
}

static outcome op_adc(json_value args) {
  int64_t channel = -1;
  double millivolts;
  if (!read_us(args, "channel", &channel) || !json_number(json_member(args, "millivolts"), &millivolts)) return BAD_ARGS;
  return channel >= 0 && channel < 64 && signals_set_adc((int)channel, millivolts) ? DONE : BAD_ARGS;
}

static outcome op_nvs(json_value args) {
  static char value[NVS_VALUE_MAX];
  char key[16] = "n.";
  const json_value wanted = json_member(args, "value");
  if (json_text(json_member(args, "key"), key + 2, sizeof key - 2) < 1) return BAD_ARGS;
  if (json_is_present(wanted) && !json_is_null(wanted)) {
    const int length = json_text(wanted, value, sizeof value);
    if (length < 0) return BAD_ARGS;
    if (!storage_put(key, value, (size_t)length)) return IMPOSSIBLE;
  }
  const int length = storage_get(key, value, sizeof value);
  json_writer *out = begin_answer(true);
  if (length < 0) json_put_raw(out, "null", 4);
  else json_put_text_of(out, value, (size_t)length);
  return answer();
}

static outcome op_credentials(json_value args) { return credentials_set(args) ? DONE : BAD_ARGS; }

static outcome op_erase(json_value args) {
  (void)args;
  configure_erase();
  return DONE;
}

static void answer_done(void) {
  json_writer *out = begin_answer(true);
  json_put_raw(out, "null", 4);
  events_send();
}

static const struct {
  const char *name;
  outcome (*carry_out)(json_value args);
} OPS[] = {
    {"configure", op_configure}, {"start", op_start},   {"stop", op_stop},     {"connect", op_connect}, {"disconnect", op_disconnect},
    {"setState", op_set_state},  {"fault", op_fault},   {"time", op_time},     {"echo", op_echo},       {"stats", op_stats},
    {"log", op_log},             {"reboot", op_reboot}, {"sleep", op_sleep},   {"crash", op_crash},     {"gpio", op_gpio},
    {"adc", op_adc},             {"nvs", op_nvs},       {"credentials", op_credentials},                {"erase", op_erase},
};

void commands_take(json_value message) {
  const json_value op = json_member(message, "op");
  current_id = json_integer_or(json_member(message, "id"), 0);
  for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i += 1) {
    if (!json_text_is(op, OPS[i].name)) continue;
    sentence = NULL;
    const outcome result = OPS[i].carry_out(json_member(message, "args"));
    if (result == DONE) answer_done();
    else if (result != ANSWERED) answer_error(ERRORS[result], sentence == NULL ? OPS[i].name : sentence);
    return;
  }
  answer_error("unknown-op", "This firmware does not know the command.");
}

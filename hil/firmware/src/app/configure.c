#include "configure.h"

#include <string.h>

#include "boot.h"
#include "connection.h"
#include "credentials.h"
#include "events.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "model.h"
#include "mqtt_client.h"
#include "outgoing.h"
#include "sequences.h"
#include "signals.h"
#include "storage.h"
#include "telemetry.h"
#include "timer.h"

static const char MEMBER_KEY[] = "member", RUN_KEY[] = "run";
enum { MEMORY_MAGIC = 0x464d3031 };
/* A board that lost its memory waits so long to be told when its run began. */
static const uint64_t PATIENCE_US = 3000000;

/* In storage, since it must outlive power cuts. */
static struct {
  uint32_t generation;
  bool is_started;
} run;

static void go_on_without_bench(void);
static timer patience = {.fire = go_on_without_bench};

static void remember_run(bool is_started) {
  run.is_started = memory->is_started = is_started;
  run.generation = memory->generation;
  storage_put(RUN_KEY, &run, sizeof run);
}

/* The machine's retained memory, when it is of this configuration; a blank one otherwise. */
static bool recall(void) {
  size_t capacity = 0;
  void *retained = hal_retained(&capacity);
  if (retained != NULL && capacity >= sizeof(member_memory)) memory = retained;
  if (memory->magic == MEMORY_MAGIC && memory->generation == run.generation && run.generation != 0) return true;
  memset(memory, 0, sizeof *memory);
  memory->magic = MEMORY_MAGIC;
  memory->generation = run.generation;
  return false;
}

/* Everything but the wall clock, which has nothing to do with who the board is. */
static void forget_life(void) {
  const bool has_wall_clock = memory->has_wall_clock;
  const int64_t wall_at_origin_us = memory->wall_at_origin_us;
  memset(memory, 0, sizeof *memory);
  memory->magic = MEMORY_MAGIC;
  memory->has_wall_clock = has_wall_clock;
  memory->wall_at_origin_us = wall_at_origin_us;
}

static void prepare(bool is_new) {
  network_use(member.path);
  connection_reset();
  if (is_new) outgoing_clear();
  else outgoing_restore();
  signals_start();
  sequences_begin(is_new);
  telemetry_reset();
  model_choose(member.model);
}

bool configure(json_value args, const char **problem) {
  /* The member before leaves in order and without a word: what is told from now on is the new one's. */
  model_stop();
  mqtt_client_disconnect();
  connection_reset();
  timers_reset();
  telemetry_reset();
  const bool is_good = member_read(args.text, args.length, problem);
  if (is_good && !model_choose(member.model)) {
    *problem = "model";
    member.thing[0] = 0;
  }
  forget_life();
  memory->generation = hal_random() | 1u;
  prepare(true);
  remember_run(false);
  if (!member_is_configured()) {
    storage_remove(MEMBER_KEY);
    return false;
  }
  if (!storage_put(MEMBER_KEY, args.text, args.length)) link_log('E', "app", "the configuration could not be stored");
  link_log('I', "app", "configured as %s, %s", member.thing, member.model);
  return true;
}

/* As after power on, but with what is known of the run. */
static void resume(void) {
  const uint64_t now_us = hal_now_us();
  model_start(false);
  if (strcmp(member.model, ota_device.name) == 0 && ota_device_is_silent()) {
    connection_desert();
    return;
  }
  const int64_t planned_us = memory->down_until_us > member.connect_at_us ? memory->down_until_us : member.connect_at_us;
  const int64_t due_us = run_us(now_us) < planned_us ? planned_us + origin_us : (int64_t)now_us;
  connection_resume(due_us);
}

static void go_on_without_bench(void) {
  if (telemetry_is_running() || !run.is_started) return;
  telemetry_start();
}

void configure_restore(void) {
  static char text[MEMBER_TEXT_MAX];
  const char *problem;
  credentials_restore();
  if (storage_get(RUN_KEY, &run, sizeof run) != (int)sizeof run) memset(&run, 0, sizeof run);
  const bool is_recalled = recall();
  const int length = storage_get(MEMBER_KEY, text, sizeof text);
  if (length <= 0 || !member_read(text, (size_t)length, &problem)) return;
  /* The time that the restart itself took is not known; the next `start` puts that right. */
  origin_us = (int64_t)hal_now_us() - memory->elapsed_us;
  memory->is_started = run.is_started;
  prepare(false);
  if (!run.is_started) return;
  link_log('I', "app", "going on as %s", member.thing);
  resume();
  if (ota_device_is_silent() && strcmp(member.model, ota_device.name) == 0) return;
  if (is_recalled) telemetry_start();
  else timer_after(&patience, PATIENCE_US);
}

void configure_start(int64_t at_us) {
  const bool goes_on = run.is_started && model_is_started();
  /* The wall clock keeps what it was told, on another origin. */
  if (memory->has_wall_clock) memory->wall_at_origin_us += at_us - origin_us;
  if (goes_on) memory->lost_at_us -= at_us - origin_us;
  origin_us = at_us;
  if (!goes_on) {
    connection_reset();
    remember_run(true);
    model_start(true);
    connection_begin(at_us + member.connect_at_us);
  }
  if (connection_now() != CONNECTION_STOPPED) telemetry_start();
}

void configure_stop(void) {
  timer_cancel(&patience);
  telemetry_stop();
  model_stop();
  connection_stop();
  if (run.is_started) remember_run(false);
}

void configure_erase(void) {
  configure_stop();
  timers_reset();
  outgoing_clear();
  credentials_forget();
  storage_remove(MEMBER_KEY);
  storage_remove(RUN_KEY);
  storage_remove("shadow");
  storage_remove("ota");
  boot_forget();
  member = (member_plan){0};
  memset(memory, 0, sizeof *memory);
  memset(&run, 0, sizeof run);
  connection_reset();
}

void configure_note_time(uint64_t now_us) {
  if (run.is_started) memory->elapsed_us = run_us(now_us);
}

#include "model.h"

#include <string.h>

#include "connection.h"
#include "events.h"
#include "hal.h"
#include "lifecycle.h"
#include "member.h"
#include "mqtt_client.h"
#include "outgoing.h"
#include "signals.h"

static const device_model *const MODELS[] = {&temperature_sensor, &shadow_device, &ota_device};
enum { MODE_MAX = 64 };

static const device_model *model;
static bool is_started, is_below;
static int depth;
static char told[MODE_MAX];

bool model_choose(const char *name) {
  model = NULL;
  is_started = false;
  for (size_t i = 0; name != NULL && i < sizeof MODELS / sizeof MODELS[0]; i += 1) {
    if (strcmp(MODELS[i]->name, name) == 0) model = MODELS[i];
  }
  return model != NULL;
}

static void note_mode(void) {
  const char *mode = model->mode();
  const size_t length = strlen(mode);
  memcpy(told, mode, length < MODE_MAX ? length + 1 : 0);
}

void model_start(bool is_new) {
  if (model == NULL) return;
  is_started = true;
  is_below = false;
  depth = 1;
  model->start(is_new);
  note_mode();
  depth = 0;
}

bool model_is_started(void) { return is_started; }
void model_stop(void) { is_started = false; }
void model_enter(void) { depth += 1; }

void model_leave(void) {
  depth -= 1;
  if (depth > 0 || !is_started || strcmp(model->mode(), told) == 0) return;
  note_mode();
  events_mode(told);
}

void model_connected(void) {
  if (!is_started) return;
  model_enter();
  model->connected();
  model_leave();
}

void model_disconnected(void) {
  if (!is_started) return;
  model_enter();
  model->disconnected();
  model_leave();
}

void model_message(const char *topic, const uint8_t *payload, size_t length) {
  if (!is_started) return;
  model_enter();
  model->message(topic, payload, length);
  model_leave();
}

bool model_fault(const char *fault, bool is_active, json_value detail) {
  if (model == NULL || model->fault == NULL) return false;
  model_enter();
  const bool is_known = model->fault(fault, is_active, detail);
  model_leave();
  return is_known;
}

void model_watch_signals(void) {
  double value;
  int decimals;
  if (!is_started || model->watched == NULL) return;
  if (!signals_sample(model->watched, strlen(model->watched), run_us(hal_now_us()), &value, &decimals)) return;
  if ((value < model->below) == is_below) return;
  is_below = !is_below;
  model_enter();
  model->threshold(is_below);
  model_leave();
}

void model_subscribe(const char *topic) { mqtt_client_subscribe(topic); }

void model_request(const char *topic, const char *body, size_t length) {
  const outgoing_request request = {.topic = topic, .payload = body, .payload_length = length, .qos = 1, .stream = -1};
  outgoing_add(&request, connection_now() == CONNECTION_ONLINE && mqtt_client_is_connected());
  mqtt_client_pump();
}

void model_reboot(int64_t down_us, const char *why) {
  events_rebooting(why);
  connection_reboot(down_us);
  lifecycle_restart();
}

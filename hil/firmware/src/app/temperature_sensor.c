/* The models that follow a shadow: a room sensor, which saves its battery too, and a device that does nothing else. */
#include <string.h>

#include "member.h"
#include "model.h"
#include "shadow_agent.h"
#include "telemetry.h"

/* Samples one time in four while the battery is low. */
enum { LOW_BATTERY_PERCENT = 15, SAVING_SLOWDOWN = 4 };

static bool is_saving;

static void start_sensor(bool is_new) {
  is_saving = false;
  shadow_agent_start(is_new, member.has_shadow);
}

static void start_device(bool is_new) { shadow_agent_start(is_new, true); }

static void disconnected(void) {}

static void threshold(bool is_below) {
  is_saving = is_below;
  telemetry_configure(0, is_below ? SAVING_SLOWDOWN : 1);
}

static const char *sensor_mode(void) {
  const bool is_applying = strcmp(shadow_agent_state(), "applying") == 0;
  if (is_saving) return is_applying ? "config.applying|power.saving" : "config.steady|power.saving";
  return is_applying ? "config.applying|power.normal" : "config.steady|power.normal";
}

const device_model temperature_sensor = {.name = "temperature-sensor", .start = start_sensor, .connected = shadow_agent_connected,
                                         .disconnected = disconnected, .message = shadow_agent_message, .threshold = threshold,
                                         .mode = sensor_mode, .watched = "battery", .below = LOW_BATTERY_PERCENT};

const device_model shadow_device = {.name = "shadow-device", .start = start_device, .connected = shadow_agent_connected,
                                    .disconnected = disconnected, .message = shadow_agent_message, .mode = shadow_agent_state};

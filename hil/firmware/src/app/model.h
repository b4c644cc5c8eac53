/* What decides for the device: one of the models of sim/models, in C. The device tells it what happens; it asks for effects. */
#ifndef FLEETRIG_MODEL_H
#define FLEETRIG_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

typedef struct {
  const char *name;
  /* `is_new`: a new member; otherwise the board has restarted and the model goes on from what it stored. */
  void (*start)(bool is_new);
  void (*connected)(void);
  void (*disconnected)(void);
  void (*message)(const char *topic, const uint8_t *payload, size_t length);
  /* false: it does not know the fault. */
  bool (*fault)(const char *fault, bool is_active, json_value detail);
  void (*threshold)(bool is_below);
  /* The state, dotted; regions of a parallel one joined by `|`. */
  const char *(*mode)(void);
  /* Of a signal that is watched; NULL: none. */
  const char *watched;
  double below;
} device_model;

extern const device_model temperature_sensor, shadow_device, ota_device;
/* It has left for good: neither connection nor telemetry come back. */
bool ota_device_is_silent(void);

/* false: there is no such model. */
bool model_choose(const char *name);
/* Called when `start` comes, and after restarts. */
void model_start(bool is_new);
bool model_is_started(void);
void model_connected(void);
void model_disconnected(void);
void model_message(const char *topic, const uint8_t *payload, size_t length);
bool model_fault(const char *fault, bool is_active, json_value detail);
void model_watch_signals(void);
void model_stop(void);
/* Around what a model does by itself, from a timer: tells a change of the mode when the outermost one ends. */
void model_enter(void);
void model_leave(void);

/* Effects of models. */
void model_subscribe(const char *topic);
/* A request to a service of the cloud: QoS 1. */
void model_request(const char *topic, const char *body, size_t length);
/* Restarts the board as soon as what was said has left it; it stays away for `down_us` in all. */
void model_reboot(int64_t down_us, const char *why);

#endif

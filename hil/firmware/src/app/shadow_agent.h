/* The part of a device that follows its shadow: take a delta, apply it after a while, report it (sim/models/shadow-agent.ts). */
#ifndef FLEETRIG_SHADOW_AGENT_H
#define FLEETRIG_SHADOW_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the device runs with, and changes to it, are at most that long. */
enum { SHADOW_STATE_MAX = 4096 };

void shadow_agent_start(bool is_new, bool follows);
void shadow_agent_connected(void);
void shadow_agent_message(const char *topic, const uint8_t *payload, size_t length);
/* `steady` or `applying`. */
const char *shadow_agent_state(void);

#endif

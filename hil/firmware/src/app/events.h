/* What the board tells the bench: events and answers, as control messages in order. They wait here while the link has no room or no session. */
#ifndef FLEETRIG_EVENTS_H
#define FLEETRIG_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

/* Begins `{"ev":"<name>"`; the caller adds members and ends with events_send. */
json_writer *events_begin(const char *name);
/* Begins `{`, for answers and network messages. */
json_writer *events_begin_plain(void);
void events_send(void);

/* A whole event at once; members with a NULL text are left out. */
void events_mode(const char *mode);
void events_rebooting(const char *why);
void events_firmware(const char *version);

/* Hands over what the link takes. */
void events_poll(void);
bool events_are_waiting(void);
uint32_t events_dropped(void);
void events_forget(void);

#endif

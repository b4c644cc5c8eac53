/* What the member wants to hear, and how much of it the server has confirmed in the present session. */
#ifndef FLEETRIG_SUBSCRIPTIONS_H
#define FLEETRIG_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void subscriptions_clear(void);
/* Adds a filter, once: what the session holds is not asked for again. */
void subscriptions_want(const char *filter);
/* Sends SUBSCRIBE for what is wanted and neither granted nor asked for; asks again when no answer comes. */
void subscriptions_ask(void);
void subscriptions_answered(uint16_t packet_id, const uint8_t *reasons, size_t count);
/* A new connection: answers to older requests will not come, and without a session nothing is granted. */
void subscriptions_rewind(bool session_present);
void subscriptions_detach(void);

/* Of mqtt_client.c: false when the packet found no room. */
bool mqtt_client_send_subscribe(uint16_t packet_id, const char *const *filters, size_t count);

#endif

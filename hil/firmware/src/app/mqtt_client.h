/* The client side of an MQTT session on the board's network connection: CONNECT to DISCONNECT, keep-alive, subscriptions, and the
 * messages of outgoing.h. The session outlives connections. */
#ifndef FLEETRIG_MQTT_CLIENT_H
#define FLEETRIG_MQTT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger packets are acknowledged and not looked at; servers of MQTT 5 are told. */
#define MQTT_PACKET_MAX 32768
enum { MQTT_SUBSCRIPTIONS_MAX = 16, MQTT_FILTER_MAX = 320 };

/* `topic` is zero-terminated; `payload` is not. */
typedef void mqtt_message_handler(const char *topic, const uint8_t *payload, size_t length);

void mqtt_client_start(mqtt_message_handler *message);
/* Forgets the session on this side. */
void mqtt_client_reset(void);
/* The network is there: sends CONNECT. Ends in connection_accepted, _refused or _lost. */
void mqtt_client_open(void);
void mqtt_client_disconnect(void);
void mqtt_client_abort(void);
bool mqtt_client_is_connected(void);
/* With the next pump, or the next connection; asked again when the server lost the session or does not answer. */
void mqtt_client_subscribe(const char *filter);
/* Asks for new subscriptions, then sends what the window and the network let through. */
void mqtt_client_pump(void);

/* From the network. */
void mqtt_client_received(const uint8_t *bytes, size_t length);
void mqtt_client_closed(const char *reason);

#endif

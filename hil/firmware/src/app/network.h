/* The board's one network connection, whichever way it takes: through the bench over the link (`bridge`), or over the machine's own
 * network (`direct`). A byte stream with a buffer for what is to be sent. */
#ifndef FLEETRIG_NETWORK_H
#define FLEETRIG_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

#define NETWORK_SEND_MAX 8192

/* Told from network_poll and the link's handlers, never from inside a call of this file. */
typedef struct {
  void (*opened)(void);
  void (*failed)(const char *reason);
  void (*received)(const uint8_t *bytes, size_t length);
  void (*closed)(const char *reason);
} network_handlers;

typedef enum { NETWORK_BRIDGE, NETWORK_DIRECT } network_path;

void network_start(const network_handlers *handlers);
void network_use(network_path path);
/* Whether dialing makes sense now: through the bench, only while the bench listens. */
bool network_is_reachable(void);
void network_dial(void);
/* All or nothing. */
bool network_send(const uint8_t *bytes, size_t length);
size_t network_room(void);
/* In order: after what was sent. Otherwise at once. No handler is called for it. */
void network_close(bool in_order);
/* Moves bytes; returns when it wants to be called again at the latest. */
uint64_t network_poll(uint64_t now_us);

/* From the link: a control message with `net`, bytes of channel 1, the end of the session. */
void network_control(json_value message);
void network_tunnelled(const uint8_t *bytes, size_t length);
void network_link_lost(void);

#endif

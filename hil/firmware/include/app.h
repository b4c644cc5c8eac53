/* The device logic (src/app): an MQTT client over the link's tunnel or over the board's own network, and the device it plays.
 * Called by src/platform/main.c, always from the one thread; nothing here blocks. */
#ifndef FLEETRIG_APP_H
#define FLEETRIG_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After storage and boot slots are ready and before the link is: reads what was configured before the restart. */
void app_start(void);
/* Does what is due. Returns when it wants to be called again at the latest; UINT64_MAX: only when something comes in. */
uint64_t app_poll(uint64_t now_us);
/* The longest that app_poll has taken since the start. */
uint64_t app_longest_us(void);

/* Members of the hello that only the device logic knows, as JSON without braces and without a leading comma, such as
 * `"thing":"r-01"`; returns the length, 0 for none. The platform writes the rest, `caps` included. */
size_t app_hello(char *text, size_t capacity);

/* The link's handlers, see link.h. `bytes` of a control message is a zero-terminated JSON object and may be changed. */
void app_received(int channel, uint8_t *bytes, size_t length, bool is_end);
void app_link_opened(uint32_t session);
void app_link_closed(void);

#endif

/* The text lane's lines, waiting for their turn on the serial line. */
#ifndef FLEETRIG_LINK_TEXT_H
#define FLEETRIG_LINK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_LINE_MAX 240u

void text_start(void);
/* Takes the oldest line out; `out` has room for TEXT_LINE_MAX bytes. 0: there is none. */
size_t text_take(uint8_t *out);
bool text_is_empty(void);
uint32_t text_dropped(void);

#endif

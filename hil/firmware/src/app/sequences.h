/* Numbers of telemetry messages, for each stream from 0. None is used twice, whatever fails: messages in the outbox are known from there,
 * acknowledged ones included, and numbers of all others are reserved in storage before they are used, about a minute ahead. So after a power cut
 * only streams skip numbers whose messages were not kept, and at most as many as were reserved. */
#ifndef FLEETRIG_SEQUENCES_H
#define FLEETRIG_SEQUENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After the outbox is ready. `is_new`: another member, from 0. */
void sequences_begin(bool is_new);
/* Neither memory nor storage knows them: the run's time decides. */
bool sequences_are_lost(void);
void sequences_count_anew(int64_t now_us);

uint32_t sequences_take(size_t stream);
/* What became of the message with the number taken last; before anybody hears of it. */
void sequences_kept(uint32_t record);
void sequences_unkept(size_t stream);

#endif

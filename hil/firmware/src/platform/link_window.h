/* The sending half of the reliable channels (PROTOCOL.md 3): what waits for its acknowledgement, and when it is sent again. */
#ifndef FLEETRIG_LINK_WINDOW_H
#define FLEETRIG_LINK_WINDOW_H

#include "link.h"
#include "link_frame.h"

#define LINK_WINDOW 8
/* Time of one byte on the wire, for the retransmission timer. Lines without a baud rate are faster than this. */
#ifndef LINK_BYTE_NS
#define LINK_BYTE_NS 86806u /* 115200 baud */
#endif

void window_reset(uint16_t credit);
bool window_push(uint8_t channel, const uint8_t *bytes, size_t length, bool is_end);
size_t window_room(void);
/* What every frame of the other side says. `is_ack`: it was a pure ACK, of which repetitions ask for the lost frame. */
void window_acknowledged(uint16_t sequence, uint16_t credit, bool is_ack, uint64_t now_us);
/* The next DATA frame to send now, if any; its payload is valid until the next call of this module. */
bool window_next(link_frame *frame, uint64_t now_us);
/* When window_next may have a frame without anything coming in; UINT64_MAX: never. */
uint64_t window_due(void);
/* The oldest frame has been unacknowledged for too long. */
bool window_is_dead(uint64_t now_us);
bool window_is_all_sent(void);

/* Writes its part of the counters. */
void window_count(link_counters *counters);

#endif

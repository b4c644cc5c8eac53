/* Frames on the line (PROTOCOL.md 1 and 2): making them, and finding them between the bytes of the text lane. */
#ifndef FLEETRIG_LINK_FRAME_H
#define FLEETRIG_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  LINK_DATA = 1,
  LINK_ACK = 2,
  LINK_PING = 3,
  LINK_PONG = 4,
  LINK_OPEN = 5,
  LINK_OPENED = 6,
  LINK_BOOT = 7,
  LINK_CLOSE = 8,
} link_frame_type;

#define LINK_PAYLOAD_MAX 480
/* What the board can take at any time: the hello's `rx` and every frame's credit. */
#define LINK_RECEIVE_BYTES 4096u
#define LINK_HEADER_BYTES 18
#define LINK_BODY_MAX (LINK_HEADER_BYTES + LINK_PAYLOAD_MAX + 4)
/* The longest encoding of the longest body: Base64 with its two delimiters. */
#define LINK_WIRE_MAX ((LINK_BODY_MAX + 2) / 3 * 4 + 2)
/* A frame that is longer on the line goes to the text lane. */
#define LINK_ACCEPT_MAX 2048
#define LINK_MESSAGE_END 0x80u

typedef struct {
  uint8_t type, channel;
  uint16_t sequence, acknowledged, credit;
  uint32_t session;
  uint64_t time_us;
  const uint8_t *payload;
  size_t length;
} link_frame;

/* `out` has room for LINK_WIRE_MAX bytes; returns how many were written. */
size_t link_frame_encode(const link_frame *frame, bool is_line, uint8_t *out);

typedef struct {
  enum { LINK_IN_TEXT, LINK_IN_FRAME, LINK_IN_LINE } lane;
  size_t length;
  uint64_t first_us, last_us; /* arrival of the frame's first byte and of the last byte of all */
  uint32_t bad_frames;
  uint8_t bytes[LINK_ACCEPT_MAX];
} link_demux;

typedef void (*link_frame_handler)(const link_frame *frame, bool is_line, uint64_t first_us);

void link_demux_bytes(link_demux *demux, const uint8_t *bytes, size_t length, uint64_t arrival_us,
                      link_frame_handler handler);
/* Gives up a frame that has been silent for 100 ms. Returns when to ask again; UINT64_MAX: no need. */
uint64_t link_demux_idle(link_demux *demux, uint64_t now_us);

#endif

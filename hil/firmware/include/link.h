/* The board's end of the link (../../link/PROTOCOL.md): frames, sessions, reliable channels, the text lane. */
#ifndef FLEETRIG_LINK_H
#define FLEETRIG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_CONTROL = 0, LINK_NETWORK = 1 };

typedef struct {
  /* Writes the hello's JSON into `text` and returns its length. */
  size_t (*hello)(char *text, size_t capacity);
  /* A piece of a channel, in order; `is_end`: the message is complete. Control messages are put together by link.c and
   * come whole, zero-terminated (is_end is always true); longer than LINK_MESSAGE_MAX ones are dropped and counted. */
  void (*received)(int channel, uint8_t *bytes, size_t length, bool is_end);
  /* A session began; what was queued before is gone. */
  void (*opened)(uint32_t session);
  void (*closed)(void);
} link_handlers;

#define LINK_MESSAGE_MAX 6144

void link_start(const link_handlers *handlers);
/* Reads what came in, sends what is due. Returns when it wants to be called again at the latest. */
uint64_t link_poll(uint64_t now_us);
bool link_is_open(void);
/* Queues a whole message or a piece of a stream; takes all or nothing. false: no room or no session. */
bool link_send(int channel, const void *bytes, size_t length, bool is_end);
/* Bytes that link_send would take now. */
size_t link_room(void);
/* One log line on the text lane (`I (millis) tag: text`); dropped and counted when the line is full. Control bytes are replaced. */
void link_log(char level, const char *tag, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Everything queued has left the serial line, or `due_us` has come. For restarts. */
void link_flush(uint64_t due_us);
/* Writes half of a frame and no more: for the crash kind half-frame. */
void link_break_frame(void);

typedef struct {
  uint32_t frames_in, frames_out, bad_frames;
  /* DATA: all that came and went in sessions; what came before, and before its turn; what was sent again, and why (PROTOCOL.md 3). */
  uint32_t data_in, data_out, duplicates, gaps, repeated_by_timeout, repeated_by_ack, credit_probes;
  uint32_t stale, overflows, unknown, dropped_logs, dropped_messages;
} link_counters;
const link_counters *link_count(void);

#endif

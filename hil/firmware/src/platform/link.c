#include "link.h"

#include "hal.h"
#include "link_frame.h"
#include "link_text.h"
#include "link_window.h"

#include <string.h>

#define ACK_DELAY_US 5000u
#define ACK_EVERY 2u
#define REPEATED_ACKS 2u /* that make the other side go back */
#define BOOT_PAUSE_US 200000u
#define PINGS 4u
#define PING_BYTES 24u
#define TURNS_MAX 64u
#ifndef LINK_BEGINS_WITH_LINE
#define LINK_BEGINS_WITH_LINE false
#endif

typedef struct {
  uint8_t t1[8];
  uint64_t t2;
} received_ping;

static struct {
  const link_handlers *handlers;
  link_counters counters;
  link_demux demux;
  uint32_t session; /* 0: none */
  bool is_line, is_receiving;

  uint16_t expected;
  unsigned unacknowledged;
  uint64_t ack_due_us;
  bool must_ack, must_open, must_boot, must_close;
  unsigned repeated_acks; /* still owed for frames that were not the one expected */
  uint64_t boot_not_before_us;
  uint32_t closing_session;
  received_ping pings[PINGS];
  unsigned ping_count;

  char message[LINK_MESSAGE_MAX + 1];
  size_t message_length; /* more than LINK_MESSAGE_MAX: too long, to be dropped at its end */

  uint8_t out[LINK_WIRE_MAX];
  size_t out_length, out_offset;
  bool text_is_next;
} link;

static void put_u64(uint8_t *out, uint64_t value) {
  for (unsigned n = 0; n < 8; n++) {
    out[n] = (uint8_t)(value >> (8 * n));
  }
}

/* Writes what is staged; true when all of it has gone. */
static bool drain(void) {
  if (link.out_offset < link.out_length) {
    link.out_offset += hal_serial_write(link.out + link.out_offset, link.out_length - link.out_offset);
  }
  return link.out_offset == link.out_length;
}

static void stage(link_frame *frame, uint64_t now_us) {
  frame->acknowledged = link.expected;
  frame->credit = LINK_RECEIVE_BYTES;
  frame->time_us = now_us;
  link.out_length = link_frame_encode(frame, link.is_line, link.out);
  link.out_offset = 0;
  link.counters.frames_out++;
  if (frame->session == link.session && frame->type != LINK_OPENED) {
    link.repeated_acks -= frame->type == LINK_ACK && !link.must_ack && link.repeated_acks > 0;
    link.unacknowledged = 0;
    link.ack_due_us = UINT64_MAX;
    link.must_ack = false;
  }
}

static void stage_hello(link_frame_type type, uint64_t now_us) {
  static char hello[LINK_PAYLOAD_MAX + 1];
  size_t length = link.handlers->hello(hello, sizeof hello);
  link_frame frame = {.type = (uint8_t)type,
                      .session = type == LINK_OPENED ? link.session : 0,
                      .payload = (const uint8_t *)hello,
                      .length = length};
  stage(&frame, now_us);
}

static void stage_pong(uint64_t now_us) {
  uint8_t payload[PING_BYTES];
  memcpy(payload, link.pings[0].t1, 8);
  put_u64(payload + 8, link.pings[0].t2);
  put_u64(payload + 16, now_us);
  link.ping_count--;
  memmove(link.pings, link.pings + 1, link.ping_count * sizeof link.pings[0]);
  link_frame frame = {.type = LINK_PONG, .session = link.session, .payload = payload, .length = PING_BYTES};
  stage(&frame, now_us);
}

/* One whole line, so that a frame never stands inside of it. */
static bool stage_text(void) {
  size_t length = text_take(link.out);
  link.out_length = length > 0 ? length : link.out_length;
  link.out_offset = length > 0 ? 0 : link.out_offset;
  return length > 0;
}

static bool stage_frame(uint64_t now_us) {
  link_frame frame = {.type = LINK_ACK, .session = link.session};
  if (link.must_close) {
    link.must_close = false;
    frame.type = LINK_CLOSE;
    frame.session = link.closing_session;
  } else if (link.must_boot) {
    link.must_boot = false;
    link.boot_not_before_us = now_us + BOOT_PAUSE_US;
    stage_hello(LINK_BOOT, now_us);
    return true;
  } else if (link.session == 0) {
    return false;
  } else if (link.must_open) {
    link.must_open = false;
    stage_hello(LINK_OPENED, now_us);
    return true;
  } else if (link.ping_count > 0) {
    stage_pong(now_us);
    return true;
  } else if (!link.must_ack && link.repeated_acks == 0) {
    if (window_next(&frame, now_us)) {
      frame.session = link.session;
    } else if (now_us < link.ack_due_us) {
      return false;
    }
  }
  stage(&frame, now_us);
  return true;
}

/* Stages and writes one frame or one line; false: there is none, or the line is full. */
static bool send_one(void) {
  if (!drain()) {
    return false;
  }
  bool is_text_first = link.text_is_next;
  link.text_is_next = false;
  if (!is_text_first || !stage_text()) {
    link.text_is_next = stage_frame(hal_now_us());
    if (!link.text_is_next && !stage_text()) {
      return false;
    }
  }
  drain();
  return true;
}

static void end_session(void) {
  link.session = 0;
  link.ping_count = 0;
  link.must_open = link.must_ack = false;
  link.repeated_acks = 0;
  link.ack_due_us = UINT64_MAX;
  link.handlers->closed();
}

static void open_session(const link_frame *frame) {
  link.must_open = true;
  if (frame->session == link.session) {
    return;
  }
  if (link.session != 0) {
    end_session();
    link.must_open = true;
  }
  link.session = frame->session;
  link.expected = 0;
  link.unacknowledged = 0;
  link.message_length = 0;
  link.must_boot = false;
  window_reset(frame->credit);
  link.handlers->opened(frame->session);
}

static void receive_control(const link_frame *frame, bool is_end) {
  if (frame->length > LINK_MESSAGE_MAX - (link.message_length < LINK_MESSAGE_MAX ? link.message_length : LINK_MESSAGE_MAX)) {
    link.message_length = LINK_MESSAGE_MAX + 1;
  } else {
    memcpy(link.message + link.message_length, frame->payload, frame->length);
    link.message_length += frame->length;
  }
  if (!is_end) {
    return;
  }
  size_t length = link.message_length;
  link.message_length = 0;
  if (length > LINK_MESSAGE_MAX) {
    link.counters.dropped_messages++;
    return;
  }
  link.message[length] = 0;
  link.handlers->received(LINK_CONTROL, (uint8_t *)link.message, length, true);
}

static void receive_data(const link_frame *frame, uint64_t now_us) {
  link.counters.data_in++;
  if (frame->sequence != link.expected) {
    if ((uint16_t)(frame->sequence - link.expected) < 0x8000u) {
      link.counters.gaps++;
    } else {
      link.counters.duplicates++;
    }
    link.repeated_acks += link.repeated_acks < REPEATED_ACKS;
    return;
  }
  link.expected++;
  link.repeated_acks = 0;
  if (++link.unacknowledged >= ACK_EVERY) {
    link.must_ack = true;
  } else {
    link.ack_due_us = now_us + ACK_DELAY_US;
  }
  int channel = frame->channel & 0x0f;
  bool is_end = (frame->channel & LINK_MESSAGE_END) != 0;
  if (channel == LINK_CONTROL) {
    receive_control(frame, is_end);
  } else if (channel == LINK_NETWORK) {
    link.handlers->received(channel, (uint8_t *)frame->payload, frame->length, is_end);
  } else {
    link.counters.unknown++;
  }
}

static void receive_ping(const link_frame *frame, uint64_t first_us) {
  if (frame->length != PING_BYTES || link.ping_count == PINGS) {
    link.counters.overflows += link.ping_count == PINGS;
    return;
  }
  received_ping *ping = &link.pings[link.ping_count++];
  memcpy(ping->t1, frame->payload, 8);
  ping->t2 = first_us;
}

static void receive_frame(const link_frame *frame, bool is_line, uint64_t first_us) {
  uint64_t now_us = hal_now_us();
  link.counters.frames_in++;
  link.is_line = is_line;
  if (frame->type == LINK_OPEN) {
    if (frame->session != 0) {
      open_session(frame);
    }
    return;
  }
  if (frame->type != LINK_DATA && frame->type != LINK_ACK && frame->type != LINK_PING && frame->type != LINK_CLOSE) {
    link.counters.unknown++;
    return;
  }
  if (frame->session == 0 || frame->session != link.session) {
    link.counters.stale++;
    link.must_boot = link.must_boot || (link.session == 0 && frame->type != LINK_CLOSE && now_us >= link.boot_not_before_us);
    return;
  }
  if (frame->type == LINK_CLOSE) {
    end_session();
    return;
  }
  window_acknowledged(frame->acknowledged, frame->credit, frame->type == LINK_ACK, now_us);
  if (frame->type == LINK_DATA) {
    receive_data(frame, now_us);
  } else if (frame->type == LINK_PING) {
    receive_ping(frame, first_us);
  }
}

/* A piece of what came in; false: nothing was there. Not while a piece is being handled: its bytes are still in use. */
static bool read_some(void) {
  static uint8_t bytes[512];
  if (link.is_receiving) {
    return false;
  }
  size_t length = hal_serial_read(bytes, sizeof bytes);
  if (length > 0) {
    link.is_receiving = true;
    link_demux_bytes(&link.demux, bytes, length, hal_serial_arrival_us(), receive_frame);
    link.is_receiving = false;
  }
  return length > 0;
}

/* In turns: a long output would otherwise see its own acknowledgements too late, and a long input would get none. A line that is
 * flooded must not keep the device logic and the watchdog waiting: true when there may be more to do. */
static bool exchange(void) {
  bool is_busy = true;
  for (unsigned turn = 0; is_busy && turn < TURNS_MAX; turn++) {
    bool has_read = read_some(), has_sent = send_one();
    is_busy = has_read || has_sent;
  }
  return is_busy;
}

void link_start(const link_handlers *handlers) {
  memset(&link, 0, sizeof link);
  text_start();
  link.handlers = handlers;
  link.is_line = LINK_BEGINS_WITH_LINE;
  link.ack_due_us = UINT64_MAX;
  link.must_boot = true;
}

uint64_t link_poll(uint64_t now_us) {
  bool is_busy = exchange();
  uint64_t idle_due_us = link_demux_idle(&link.demux, now_us);
  if (link.session != 0 && window_is_dead(now_us)) {
    link.closing_session = link.session;
    link.must_close = true;
    end_session();
    is_busy = exchange();
  }
  if (is_busy) {
    return now_us;
  }
  if (link.out_offset < link.out_length) {
    return now_us + 1000; /* the line is full: nothing wakes us when it has room again */
  }
  uint64_t due_us = idle_due_us < link.ack_due_us ? idle_due_us : link.ack_due_us;
  if (link.session == 0) {
    return idle_due_us;
  }
  uint64_t window_us = window_due();
  return window_us < due_us ? window_us : due_us;
}

bool link_is_open(void) { return link.session != 0; }

bool link_send(int channel, const void *bytes, size_t length, bool is_end) {
  return link.session != 0 && window_push((uint8_t)channel, bytes, length, is_end);
}

size_t link_room(void) { return link.session != 0 ? window_room() : 0; }

void link_flush(uint64_t due_us) {
  do {
    exchange();
    bool is_sent = link.session == 0 || window_is_all_sent();
    if (is_sent && text_is_empty() && link.out_offset == link.out_length && hal_serial_is_idle()) {
      return;
    }
    uint64_t now_us = hal_now_us();
    hal_wait(now_us + 1000 < due_us ? now_us + 1000 : due_us);
  } while (hal_now_us() < due_us);
}

void link_break_frame(void) {
  link_frame frame = {.type = LINK_ACK, .session = link.session};
  if (link.out_offset == link.out_length) {
    stage(&frame, hal_now_us());
  }
  link.out_length = link.out_offset + (link.out_length - link.out_offset + 1) / 2;
  uint64_t until_us = hal_now_us() + 100000;
  while (!drain() && hal_now_us() < until_us) {
  }
}

const link_counters *link_count(void) {
  link.counters.bad_frames = link.demux.bad_frames;
  link.counters.dropped_logs = text_dropped();
  window_count(&link.counters);
  return &link.counters;
}

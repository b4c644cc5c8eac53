#include "link_frame.h"

#include "cobs.h"
#include "crc32.h"

#include <string.h>

#define LINE_BEGIN 0x1e
#define IDLE_US 100000u
/* Noticed so late, it was the board that was held up: what has come in meanwhile is read first. */
#define LATE_US 5000u
#define GRACE_US 20000u

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put(uint8_t *out, uint64_t value, unsigned bytes) {
  for (unsigned n = 0; n < bytes; n++) {
    out[n] = (uint8_t)(value >> (8 * n));
  }
}

static uint64_t take(const uint8_t *in, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned n = bytes; n > 0; n--) {
    value = value << 8 | in[n - 1];
  }
  return value;
}

static size_t base64_encode(const uint8_t *bytes, size_t length, uint8_t *out) {
  size_t at = 0;
  for (size_t n = 0; n < length; n += 3) {
    uint32_t group = (uint32_t)bytes[n] << 16;
    group |= n + 1 < length ? (uint32_t)bytes[n + 1] << 8 : 0;
    group |= n + 2 < length ? bytes[n + 2] : 0;
    out[at++] = (uint8_t)BASE64[group >> 18];
    out[at++] = (uint8_t)BASE64[group >> 12 & 63];
    out[at++] = n + 1 < length ? (uint8_t)BASE64[group >> 6 & 63] : '=';
    out[at++] = n + 2 < length ? (uint8_t)BASE64[group & 63] : '=';
  }
  return at;
}

static int base64_digit(uint8_t byte) {
  if (byte >= 'A' && byte <= 'Z') return byte - 'A';
  if (byte >= 'a' && byte <= 'z') return byte - 'a' + 26;
  if (byte >= '0' && byte <= '9') return byte - '0' + 52;
  return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

/* In place; (size_t)-1 if it is not Base64 with padding. */
static size_t base64_decode(uint8_t *bytes, size_t length) {
  if (length == 0 || length % 4 != 0) {
    return (size_t)-1;
  }
  size_t padding = bytes[length - 1] != '=' ? 0 : bytes[length - 2] != '=' ? 1 : 2;
  size_t at = 0;
  for (size_t n = 0; n < length; n += 4) {
    uint32_t group = 0;
    for (size_t k = n; k < n + 4; k++) {
      int digit = k >= length - padding ? 0 : base64_digit(bytes[k]);
      if (digit < 0) {
        return (size_t)-1;
      }
      group = group << 6 | (uint32_t)digit;
    }
    put(bytes + at, (group >> 16 & 0xff) | (group & 0xff00) | (group & 0xff) << 16, 3);
    at += 3;
  }
  return at - padding;
}

size_t link_frame_encode(const link_frame *frame, bool is_line, uint8_t *out) {
  uint8_t body[LINK_BODY_MAX];
  size_t length = frame->length < LINK_PAYLOAD_MAX ? frame->length : LINK_PAYLOAD_MAX;
  body[0] = frame->type;
  body[1] = frame->channel;
  put(body + 2, frame->sequence, 2);
  put(body + 4, frame->acknowledged, 2);
  put(body + 6, frame->credit, 2);
  put(body + 8, frame->session, 4);
  put(body + 12, frame->time_us, 6);
  if (length > 0) {
    memcpy(body + LINK_HEADER_BYTES, frame->payload, length);
  }
  length += LINK_HEADER_BYTES;
  put(body + length, crc32(0, body, length), 4);
  length += 4;
  out[0] = is_line ? LINE_BEGIN : 0;
  size_t encoded = is_line ? base64_encode(body, length, out + 1) : cobs_encode(body, length, out + 1);
  out[encoded + 1] = is_line ? '\n' : 0;
  return encoded + 2;
}

static bool decode(link_demux *demux, link_frame *frame) {
  bool is_line = demux->lane == LINK_IN_LINE;
  if (is_line && demux->length > 0 && demux->bytes[demux->length - 1] == '\r') {
    demux->length--;
  }
  size_t length = is_line ? base64_decode(demux->bytes, demux->length)
                          : cobs_decode(demux->bytes, demux->length, demux->bytes);
  const uint8_t *body = demux->bytes;
  if (length == (size_t)-1 || length < LINK_HEADER_BYTES + 4 || take(body + length - 4, 4) != crc32(0, body, length - 4)) {
    return false;
  }
  *frame = (link_frame){
      .type = body[0],
      .channel = body[1],
      .sequence = (uint16_t)take(body + 2, 2),
      .acknowledged = (uint16_t)take(body + 4, 2),
      .credit = (uint16_t)take(body + 6, 2),
      .session = (uint32_t)take(body + 8, 4),
      .time_us = take(body + 12, 6),
      .payload = body + LINK_HEADER_BYTES,
      .length = length - LINK_HEADER_BYTES - 4,
  };
  return true;
}

static void enter(link_demux *demux, int lane) {
  demux->lane = lane;
  demux->length = 0;
}

/* The frame's time is that of its first byte, not of the zero before it: that one may have ended another frame long ago. */
static void keep(link_demux *demux, uint8_t byte, uint64_t arrival_us) {
  if (demux->length == sizeof demux->bytes) {
    demux->bad_frames++;
    enter(demux, LINK_IN_TEXT);
    return;
  }
  if (demux->length == 0) {
    demux->first_us = arrival_us;
  }
  demux->bytes[demux->length++] = byte;
}

static void end_frame(link_demux *demux, link_frame_handler handler) {
  bool is_line = demux->lane == LINK_IN_LINE;
  if (!is_line && demux->length == 0) {
    return; /* an empty frame means nothing: this zero byte may be the opener */
  }
  link_frame frame;
  if (decode(demux, &frame)) {
    enter(demux, LINK_IN_TEXT);
    handler(&frame, is_line, demux->first_us);
    return;
  }
  demux->bad_frames++;
  enter(demux, is_line ? LINK_IN_TEXT : LINK_IN_FRAME);
}

void link_demux_bytes(link_demux *demux, const uint8_t *bytes, size_t length, uint64_t arrival_us,
                      link_frame_handler handler) {
  demux->last_us = arrival_us;
  for (size_t n = 0; n < length; n++) {
    uint8_t byte = bytes[n];
    bool is_end = demux->lane == LINK_IN_FRAME ? byte == 0 : demux->lane == LINK_IN_LINE && byte == '\n';
    bool is_opener = demux->lane != LINK_IN_FRAME && (byte == 0 || byte == LINE_BEGIN);
    if (is_end) {
      end_frame(demux, handler);
    } else if (is_opener) {
      demux->bad_frames += demux->lane == LINK_IN_LINE;
      enter(demux, byte == 0 ? LINK_IN_FRAME : LINK_IN_LINE);
    } else if (demux->lane != LINK_IN_TEXT) {
      keep(demux, byte, arrival_us);
    }
  }
}

uint64_t link_demux_idle(link_demux *demux, uint64_t now_us) {
  if (demux->lane == LINK_IN_TEXT) {
    return UINT64_MAX;
  }
  if (now_us > demux->last_us + IDLE_US + LATE_US) {
    demux->last_us = now_us - IDLE_US + GRACE_US;
  }
  if (now_us < demux->last_us + IDLE_US) {
    return demux->last_us + IDLE_US;
  }
  demux->bad_frames += demux->length > 0;
  enter(demux, LINK_IN_TEXT);
  return UINT64_MAX;
}

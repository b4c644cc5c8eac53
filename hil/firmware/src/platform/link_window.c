#include "link_window.h"

#include <string.h>

#define RING_BYTES 16384u /* a power of two, and room for the longest message */
#define FRAMES 64u        /* a power of two */
#define RTO_MIN_US 60000u
#define RTO_MAX_US 1000000u
#define SRTT_INITIAL_US 250000u /* before anything was measured */
#define FRAME_EXTRA_BYTES 26u   /* header, CRC, encoding */
#define SILENT_MAX_US 5000000u
#define UNACKNOWLEDGED_MAX_US 20000000u /* while the other side is heard */
/* Noticed so late that the time was up, the board itself was held up: what has come in meanwhile is read first. */
#define LATE_US 5000u
#define GRACE_US 20000u

typedef struct {
  uint32_t start; /* position in the ring, counted on without wrapping */
  uint16_t length;
  uint8_t channel;
  uint8_t sends;
  uint64_t sent_us;
} queued_frame;

static struct {
  queued_frame frames[FRAMES];
  uint8_t ring[RING_BYTES];
  uint8_t payload[LINK_PAYLOAD_MAX];
  /* Sequences: base is the oldest unacknowledged, next the one to send, sent one past the last ever sent, end one past the last queued. */
  uint16_t base, next, sent, end;
  uint32_t ring_end;
  uint16_t credit;
  uint32_t srtt_us;
  unsigned repetitions, repeated_acks;
  /* Numbers after the last frame each time it went back, modulo FRAMES, as long as they are still to come. */
  uint64_t echoes;
  uint64_t quiet_until_us; /* it went back because of ACKs, and the oldest frame is still the same */
  bool is_back_for_acks, is_excused;
  uint64_t rto_from_us, progress_us, heard_us;
  uint32_t data_out, repeated_by_timeout, repeated_by_ack, credit_probes;
} w;

static queued_frame *frame_at(uint16_t sequence) { return &w.frames[sequence % FRAMES]; }
static uint16_t count(uint16_t from, uint16_t to) { return (uint16_t)(to - from); }

static uint32_t ring_begin(void) { return w.base == w.end ? w.ring_end : frame_at(w.base)->start; }

static uint32_t in_flight_bytes(void) {
  if (w.base == w.next) {
    return 0;
  }
  const queued_frame *last = frame_at((uint16_t)(w.next - 1));
  return last->start + last->length - frame_at(w.base)->start;
}

static uint64_t wire_us(unsigned frames, uint32_t payload_bytes) {
  return ((uint64_t)frames * FRAME_EXTRA_BYTES + payload_bytes) * LINK_BYTE_NS / 1000;
}

static uint32_t rto_us(void) {
  const queued_frame *oldest = frame_at(w.base), *newest = frame_at((uint16_t)(w.sent - 1));
  uint64_t few_us = 4 * wire_us(1, w.base == w.end ? 0 : oldest->length);
  uint64_t all_us = w.base == w.sent ? 0 : 2 * wire_us(count(w.base, w.sent), newest->start + newest->length - oldest->start);
  uint64_t rto = 2 * (uint64_t)w.srtt_us + (few_us > all_us ? few_us : all_us);
  rto = rto < RTO_MIN_US ? RTO_MIN_US : rto;
  unsigned doublings = w.repetitions < 5 ? w.repetitions : 5;
  rto <<= doublings;
  return rto > RTO_MAX_US ? RTO_MAX_US : (uint32_t)rto;
}

void window_reset(uint16_t credit) {
  w.base = w.next = w.sent = w.end = 0;
  w.ring_end = 0;
  w.credit = credit;
  w.srtt_us = SRTT_INITIAL_US;
  w.repetitions = w.repeated_acks = 0;
  w.echoes = 0;
  w.quiet_until_us = 0;
  w.is_excused = false;
  w.rto_from_us = w.progress_us = w.heard_us = 0;
}

size_t window_room(void) {
  size_t bytes = RING_BYTES - (w.ring_end - ring_begin());
  size_t frames = FRAMES - count(w.base, w.end);
  return bytes < frames * LINK_PAYLOAD_MAX ? bytes : frames * LINK_PAYLOAD_MAX;
}

static void append(queued_frame *frame, const uint8_t *bytes, size_t length) {
  for (size_t n = 0; n < length; n++) {
    w.ring[(w.ring_end + n) % RING_BYTES] = bytes[n];
  }
  w.ring_end += (uint32_t)length;
  frame->length = (uint16_t)(frame->length + length);
}

/* Pieces of a stream grow together while they wait; a message ends its frame. */
static queued_frame *open_frame(uint8_t channel) {
  if (w.end == w.sent) {
    return NULL;
  }
  queued_frame *last = frame_at((uint16_t)(w.end - 1));
  return last->channel == channel && last->length < LINK_PAYLOAD_MAX ? last : NULL;
}

bool window_push(uint8_t channel, const uint8_t *bytes, size_t length, bool is_end) {
  if (length > window_room() || (length == 0 && (!is_end || count(w.base, w.end) == FRAMES))) {
    return length == 0 && !is_end;
  }
  queued_frame *frame = open_frame(channel);
  do {
    if (frame == NULL) {
      frame = frame_at(w.end++);
      *frame = (queued_frame){.start = w.ring_end, .channel = channel};
    }
    size_t room = (size_t)LINK_PAYLOAD_MAX - frame->length;
    size_t piece = length < room ? length : room;
    append(frame, bytes, piece);
    bytes += piece;
    length -= piece;
    if (length == 0 && is_end) {
      frame->channel |= LINK_MESSAGE_END;
    }
    frame = NULL;
  } while (length > 0);
  return true;
}

static void measure(const queued_frame *frame, uint64_t now_us) {
  if (frame->sends != 1 || now_us < frame->sent_us) {
    return; /* Karn: which of its sendings was acknowledged is not known */
  }
  uint64_t rtt = now_us - frame->sent_us;
  uint32_t sample = rtt > RTO_MAX_US ? RTO_MAX_US : (uint32_t)rtt;
  w.srtt_us = w.srtt_us - w.srtt_us / 8 + sample / 8;
}

static uint64_t echo_bit(uint16_t sequence) { return (uint64_t)1 << sequence % FRAMES; }

/* Frames that are repeated without need are all answered with the number after the last of them, before anything newer is. When the
 * time is up (`quiet_until_us` 0), what was caused before has come. */
static void go_back(uint64_t quiet_until_us) {
  w.next = w.base;
  w.repeated_acks = 0;
  w.echoes = (quiet_until_us > 0 ? w.echoes : 0) | echo_bit(w.sent);
  w.quiet_until_us = quiet_until_us;
  w.is_back_for_acks = quiet_until_us > 0;
}

static void advance(uint16_t sequence, uint64_t now_us) {
  measure(frame_at((uint16_t)(sequence - 1)), now_us);
  if (count(w.base, w.next) < count(w.base, sequence)) {
    w.next = sequence;
  }
  for (; w.base != sequence; w.base++) {
    w.echoes &= ~echo_bit(w.base);
  }
  w.repetitions = w.repeated_acks = 0;
  w.quiet_until_us = 0;
  w.is_excused = false;
  w.rto_from_us = w.progress_us = now_us;
}

void window_acknowledged(uint16_t sequence, uint16_t credit, bool is_ack, uint64_t now_us) {
  w.heard_us = now_us;
  uint16_t acknowledged = count(w.base, sequence);
  if (acknowledged > count(w.base, w.sent)) {
    return; /* older than what is known */
  }
  w.credit = credit;
  if (acknowledged > 0) {
    advance(sequence, now_us);
    return;
  }
  bool may_be_echo = (w.echoes & echo_bit(w.base)) != 0 || now_us < w.quiet_until_us;
  if (is_ack && w.base != w.sent && !may_be_echo && ++w.repeated_acks == 2) {
    go_back(now_us + w.srtt_us);
    w.rto_from_us = now_us;
  }
}

static bool has_room_for_next(void) {
  return w.next != w.end && count(w.base, w.next) < LINK_WINDOW &&
         in_flight_bytes() + frame_at(w.next)->length <= w.credit;
}

static bool is_overdue(uint64_t now_us) {
  uint64_t due_us = w.rto_from_us + rto_us();
  if (w.base == w.end || now_us < due_us) {
    return false;
  }
  if (w.base != w.sent && now_us > due_us + LATE_US && !w.is_excused) {
    w.is_excused = true;
    w.rto_from_us = now_us + GRACE_US - rto_us();
    return false;
  }
  return true;
}

static void take_queued(link_frame *frame, uint64_t now_us) {
  queued_frame *queued = frame_at(w.next);
  for (size_t n = 0; n < queued->length; n++) {
    w.payload[n] = w.ring[(queued->start + n) % RING_BYTES];
  }
  *frame = (link_frame){
      .type = LINK_DATA, .channel = queued->channel, .sequence = w.next, .payload = w.payload, .length = queued->length};
  if (w.next == w.base) {
    w.rto_from_us = now_us;
  }
  if (w.base == w.sent) {
    w.progress_us = now_us;
  }
  bool is_repeated = queued->sends > 0;
  w.repeated_by_ack += is_repeated && w.is_back_for_acks;
  w.repeated_by_timeout += is_repeated && !w.is_back_for_acks;
  queued->sends = queued->sends < 255 ? (uint8_t)(queued->sends + 1) : 255;
  queued->sent_us = now_us;
  w.next++;
  if (count(w.base, w.next) > count(w.base, w.sent)) {
    w.sent = w.next;
  }
}

bool window_next(link_frame *frame, uint64_t now_us) {
  bool is_late = is_overdue(now_us);
  if (is_late) {
    w.repetitions++;
    w.rto_from_us = now_us;
    w.is_excused = false;
  }
  if (is_late && w.base != w.sent) {
    go_back(0);
  }
  if (has_room_for_next()) {
    take_queued(frame, now_us);
  } else if (is_late && w.base == w.next) {
    /* Out of credit with nothing in flight: an old sequence makes the other side say what it has room for now. */
    w.credit_probes++;
    *frame = (link_frame){.type = LINK_DATA, .sequence = (uint16_t)(w.base - 1)};
  } else {
    return false;
  }
  w.data_out++;
  return true;
}

uint64_t window_due(void) {
  if (w.base == w.end) {
    return UINT64_MAX;
  }
  return has_room_for_next() ? 0 : w.rto_from_us + rto_us();
}

bool window_is_dead(uint64_t now_us) {
  uint64_t sign_us = w.heard_us > w.progress_us ? w.heard_us : w.progress_us;
  bool is_silent = now_us >= sign_us + SILENT_MAX_US;
  return w.base != w.sent && (is_silent || now_us >= w.progress_us + UNACKNOWLEDGED_MAX_US);
}

bool window_is_all_sent(void) { return w.sent == w.end; }

void window_count(link_counters *counters) {
  counters->data_out = w.data_out;
  counters->repeated_by_timeout = w.repeated_by_timeout;
  counters->repeated_by_ack = w.repeated_by_ack;
  counters->credit_probes = w.credit_probes;
}

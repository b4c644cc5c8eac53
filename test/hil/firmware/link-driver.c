/* The board's end of the link (src/platform/link*.c) alone, in time that stands still until it is told to go on. It answers `echo` and
 * sends back what comes on the network channel. Asked with a line, it answers with one:
 *
 *   in   <us> <hex of what came in, or -> | ?
 *   out  <us of the next poll> <hex of what goes out, or -> | <the counters as JSON> */
#include "hal.h"
#include "link.h"
#include "link_frame.h"
#include "link_window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20, IO_BYTES = 1 << 19, POLL_MAX_BYTES = 1 << 16, STREAM_BYTES = 1 << 16, ANSWERS = 8 };

static uint64_t now_us;
static uint8_t in[IO_BYTES], out[IO_BYTES];
static size_t in_at, in_length, out_length, read_in_poll;

static uint8_t stream[STREAM_BYTES];
static size_t stream_length;
static char answers[ANSWERS][LINK_MESSAGE_MAX + 64];
static size_t answer_count;

uint64_t hal_now_us(void) { return now_us; }
uint64_t hal_serial_arrival_us(void) { return now_us; }
bool hal_serial_is_idle(void) { return true; }
void hal_wait(uint64_t due_us) { now_us = due_us; }

size_t hal_serial_read(uint8_t *bytes, size_t capacity) {
  size_t length = in_length - in_at < capacity ? in_length - in_at : capacity;
  memcpy(bytes, in + in_at, length);
  in_at += length;
  read_in_poll += length;
  if (read_in_poll > POLL_MAX_BYTES) abort(); /* the device logic waits */
  return length;
}

size_t hal_serial_write(const uint8_t *bytes, size_t length) {
  if (length > IO_BYTES - out_length) abort();
  memcpy(out + out_length, bytes, length);
  out_length += length;
  return length;
}

static size_t hello(char *text, size_t capacity) {
  return (size_t)snprintf(text, capacity,
                          "{\"proto\":1,\"fw\":\"link-driver\",\"version\":\"1.0.0\",\"build\":\"00000000\",\"chip\":\"none\","
                          "\"mac\":\"020000000001\",\"bootId\":1,\"boots\":1,\"reset\":\"POWERON\",\"upUs\":%" PRIu64
                          ",\"rx\":%u,\"maxPayload\":%u,\"window\":%u,\"caps\":[\"mqtt\"]}",
                          now_us, (unsigned)LINK_RECEIVE_BYTES, (unsigned)LINK_PAYLOAD_MAX, (unsigned)LINK_WINDOW);
}

/* {"id":7,"op":"echo","args":{"data":"..."}} */
static void answer(const char *message) {
  const char *data = strstr(message, "\"data\":");
  unsigned id = 0;
  if (sscanf(message, "{\"id\":%u", &id) != 1 || data == NULL || answer_count == ANSWERS) abort();
  data += strlen("\"data\":");
  snprintf(answers[answer_count++], sizeof answers[0], "{\"id\":%u,\"ok\":true,\"value\":%.*s}", id, (int)strlen(data) - 2, data);
}

static void received(int channel, uint8_t *bytes, size_t length, bool is_end) {
  (void)is_end;
  if (channel == LINK_CONTROL) {
    answer((const char *)bytes);
    return;
  }
  if (length > STREAM_BYTES - stream_length) abort();
  memcpy(stream + stream_length, bytes, length);
  stream_length += length;
}

static void opened(uint32_t session) {
  (void)session;
  stream_length = answer_count = 0;
}

static void closed(void) {}

static void send_waiting(void) {
  size_t sent = 0;
  while (sent < answer_count && link_send(LINK_CONTROL, answers[sent], strlen(answers[sent]), true)) sent++;
  memmove(answers, answers + sent, (answer_count - sent) * sizeof answers[0]);
  answer_count -= sent;
  if (answer_count > 0) return; /* a long one would never find room if the stream took all of it */
  size_t room = link_room(), length = stream_length < room ? stream_length : room;
  if (length == 0 || !link_send(LINK_NETWORK, stream, length, false)) return;
  memmove(stream, stream + length, stream_length - length);
  stream_length -= length;
}

static void print_counters(void) {
  const link_counters *count = link_count();
  printf("{\"framesIn\":%u,\"framesOut\":%u,\"badFrames\":%u,\"dataIn\":%u,\"dataOut\":%u,\"duplicates\":%u,\"gaps\":%u,"
         "\"repeatedByTimeout\":%u,\"repeatedByAck\":%u,\"creditProbes\":%u,\"stale\":%u,\"unknown\":%u,\"overflows\":%u}\n",
         count->frames_in, count->frames_out, count->bad_frames, count->data_in, count->data_out, count->duplicates, count->gaps,
         count->repeated_by_timeout, count->repeated_by_ack, count->credit_probes, count->stale, count->unknown, count->overflows);
}

static uint64_t poll_once(void) {
  read_in_poll = 0;
  return link_poll(now_us);
}

static uint64_t run(void) {
  uint64_t due_us;
  do {
    poll_once();
    send_waiting();
    due_us = poll_once();
  } while (in_at < in_length);
  return due_us;
}

static int digit(char letter) { return letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1; }

static void read_hex(const char *text) {
  in_at = in_length = 0;
  for (; digit(text[0]) >= 0; text += 2) in[in_length++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
}

int main(void) {
  static char line[LINE_MAX_BYTES];
  static const link_handlers handlers = {.hello = hello, .received = received, .opened = opened, .closed = closed};
  link_start(&handlers);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (line[0] == '?') {
      print_counters();
    } else {
      char *rest;
      now_us = strtoull(line, &rest, 10);
      read_hex(rest + 1);
      out_length = 0;
      printf("%" PRIu64 " ", run());
      for (size_t n = 0; n < out_length; n++) {
        putchar("0123456789abcdef"[out[n] >> 4]);
        putchar("0123456789abcdef"[out[n] & 15]);
      }
      puts(out_length == 0 ? "-" : "");
    }
    fflush(stdout);
  }
  return 0;
}

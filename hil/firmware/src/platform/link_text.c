#include "link_text.h"

#include "hal.h"
#include "link.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RING_BYTES 4096u

static struct {
  char ring[RING_BYTES];
  size_t begin, length;
  uint32_t dropped;
} lines;

void text_start(void) { memset(&lines, 0, sizeof lines); }

size_t text_take(uint8_t *out) {
  size_t length = 0;
  while (lines.length > 0) {
    char byte = lines.ring[lines.begin];
    lines.begin = (lines.begin + 1) % RING_BYTES;
    lines.length--;
    out[length++] = (uint8_t)byte;
    if (byte == '\n') {
      break;
    }
  }
  return length;
}

bool text_is_empty(void) { return lines.length == 0; }

uint32_t text_dropped(void) { return lines.dropped; }

void link_log(char level, const char *tag, const char *format, ...) {
  char line[TEXT_LINE_MAX];
  uint64_t now_us = hal_now_us();
  int head = snprintf(line, sizeof line, "%c (%lu) %s: ", level, (unsigned long)(now_us / 1000), tag);
  size_t length = head < 0 ? 0 : (size_t)head < sizeof line - 3 ? (size_t)head : sizeof line - 3;
  va_list values;
  va_start(values, format);
  int body = vsnprintf(line + length, sizeof line - 2 - length, format, values);
  va_end(values);
  size_t room = sizeof line - 3 - length;
  length += body < 0 ? 0 : (size_t)body < room ? (size_t)body : room;
  for (size_t n = 0; n < length; n++) {
    if ((uint8_t)line[n] < 0x20 || line[n] == 0x7f) {
      line[n] = '?';
    }
  }
  line[length++] = '\r';
  line[length++] = '\n';
  if (length > RING_BYTES - lines.length) {
    lines.dropped++;
    return;
  }
  for (size_t n = 0; n < length; n++) {
    lines.ring[(lines.begin + lines.length++) % RING_BYTES] = line[n];
  }
}

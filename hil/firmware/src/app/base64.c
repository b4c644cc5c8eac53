#include "base64.h"

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t length, uint8_t *bytes, size_t capacity) {
  uint32_t bits = 0;
  size_t digits = 0, written = 0, padding = 0;
  for (size_t i = 0; i < length; i += 1) {
    if (text[i] == '\\' && i + 1 < length && text[i + 1] == '/') continue;
    if (text[i] == '=') {
      padding += 1;
      continue;
    }
    const int digit = digit_of(text[i]);
    if (digit < 0 || padding > 0) return -1;
    bits = bits << 6 | (uint32_t)digit;
    digits += 1;
    if (digits % 4 == 1) continue;
    if (written == capacity) return -1;
    bytes[written++] = (uint8_t)(bits >> (4 - 2 * ((digits - 2) % 4)) & 0xff);
  }
  if (digits % 4 == 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 != 0)) return -1;
  return (int)written;
}

#include "cobs.h"

size_t cobs_encode(const uint8_t *bytes, size_t length, uint8_t *out) {
  size_t code_at = 0, at = 1;
  uint8_t code = 1;
  for (size_t n = 0; n < length; n++) {
    if (bytes[n] != 0) {
      out[at++] = bytes[n];
      code++;
    }
    if (bytes[n] == 0 || code == 0xff) {
      out[code_at] = code;
      code = 1;
      code_at = at;
      /* A group of 254 that ends the input needs no empty group after it. */
      if (bytes[n] == 0 || n + 1 < length) {
        at++;
      } else {
        return at;
      }
    }
  }
  out[code_at] = code;
  return at;
}

size_t cobs_decode(const uint8_t *bytes, size_t length, uint8_t *out) {
  size_t at = 0, n = 0;
  while (n < length) {
    uint8_t code = bytes[n++];
    if (code == 0 || (size_t)(code - 1) > length - n) {
      return (size_t)-1;
    }
    for (uint8_t k = 1; k < code; k++) {
      if (bytes[n] == 0) {
        return (size_t)-1;
      }
      out[at++] = bytes[n++];
    }
    if (code != 0xff && n < length) {
      out[at++] = 0;
    }
  }
  return at;
}

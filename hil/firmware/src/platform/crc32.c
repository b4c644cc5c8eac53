#include "crc32.h"

static uint32_t table[256];

static void fill_table(void) {
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t value = n;
    for (int bit = 0; bit < 8; bit++) {
      value = (value & 1u) ? 0xedb88320u ^ (value >> 1) : value >> 1;
    }
    table[n] = value;
  }
}

uint32_t crc32(uint32_t crc, const void *bytes, size_t length) {
  if (table[1] == 0) {
    fill_table();
  }
  const uint8_t *from = bytes;
  crc = ~crc;
  for (size_t n = 0; n < length; n++) {
    crc = table[(crc ^ from[n]) & 0xffu] ^ (crc >> 8);
  }
  return ~crc;
}

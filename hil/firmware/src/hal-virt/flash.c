/* Slots, data and identity in the NOR flash: Intel's command set on two 16-bit chips side by side, erased in blocks of 256 KiB. */
#include "flash_layout.h"
#include "machine.h"

#include <string.h>

#define BOTH(command) ((uint32_t)(command) << 16 | (command))
#define BUFFER_WORDS 256u

static uint32_t address(uint32_t offset) { return FLASH_AT + offset; }

static void read_mode(uint32_t at) { *register32(at) = BOTH(0xffu); }

static void wait_ready(uint32_t at) {
  while ((*register32(at) & 0x80u) == 0) {
  }
}

static void erase_block(uint32_t offset) {
  uint32_t at = address(offset);
  *register32(at) = BOTH(0x20u);
  *register32(at) = BOTH(0xd0u);
  wait_ready(at);
  read_mode(at);
}

/* Whole words, at most BUFFER_WORDS and not over a boundary of that many. */
static void program_words(uint32_t offset, const uint32_t *words, uint32_t count) {
  uint32_t at = address(offset);
  *register32(at) = BOTH(0xe8u);
  wait_ready(at);
  *register32(at) = BOTH(count - 1);
  for (uint32_t n = 0; n < count; n++) {
    *register32(at + 4 * n) = words[n];
  }
  *register32(at) = BOTH(0xd0u);
  wait_ready(at);
  read_mode(at);
}

/* Any bytes: what stands around them in their words, and bits that are cleared, stay as they are. */
static void program(uint32_t offset, const uint8_t *bytes, size_t length) {
  uint32_t words[BUFFER_WORDS];
  while (length > 0) {
    uint32_t first = offset & ~3u;
    uint32_t room = BUFFER_WORDS * 4 - first % (BUFFER_WORDS * 4) - (offset - first);
    uint32_t piece = length < room ? (uint32_t)length : room;
    uint32_t count = (offset - first + piece + 3) / 4;
    memcpy(words, (const void *)address(first), 4 * count);
    uint8_t *to = (uint8_t *)words + (offset - first);
    for (uint32_t n = 0; n < piece; n++) {
      to[n] &= bytes[n];
    }
    program_words(first, words, count);
    offset += piece;
    bytes += piece;
    length -= piece;
  }
}

static bool is_outside(size_t offset, size_t length, size_t size) { return offset > size || length > size - offset; }

size_t hal_flash_size(void) { return FLASH_DATA_BYTES; }

bool hal_flash_read(size_t offset, void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES)) {
    return false;
  }
  for (uint8_t *to = bytes; length > 0;) {
    size_t room = FLASH_SECTOR_BYTES - offset % FLASH_SECTOR_BYTES;
    size_t piece = length < room ? length : room;
    memcpy(to, (const void *)address(FLASH_DATA_FILE_AT(offset)), piece);
    to += piece;
    offset += piece;
    length -= piece;
  }
  return true;
}

bool hal_flash_write(size_t offset, const void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES)) {
    return false;
  }
  for (const uint8_t *from = bytes; length > 0;) {
    size_t room = FLASH_SECTOR_BYTES - offset % FLASH_SECTOR_BYTES;
    size_t piece = length < room ? length : room;
    program(FLASH_DATA_FILE_AT(offset), from, piece);
    from += piece;
    offset += piece;
    length -= piece;
  }
  return true;
}

bool hal_flash_erase(size_t offset, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES) || offset % FLASH_SECTOR_BYTES || length % FLASH_SECTOR_BYTES) {
    return false;
  }
  for (size_t at = offset; at < offset + length; at += FLASH_SECTOR_BYTES) {
    erase_block(FLASH_DATA_FILE_AT(at));
  }
  return true;
}

size_t hal_slot_size(void) { return FLASH_SLOT_BYTES; }

int hal_slot_running(void) { return RETAINED->slot; }

bool hal_slot_erase(int slot) {
  for (uint32_t at = 0; at < FLASH_SLOT_BYTES; at += FLASH_BLOCK_BYTES) {
    erase_block(FLASH_SLOT_AT(slot) + at);
  }
  return true;
}

bool hal_slot_write(int slot, size_t offset, const void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_SLOT_BYTES)) {
    return false;
  }
  program(FLASH_SLOT_AT(slot) + offset, bytes, length);
  return true;
}

bool hal_slot_read(int slot, size_t offset, void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_SLOT_BYTES)) {
    return false;
  }
  memcpy(bytes, (const void *)address(FLASH_SLOT_AT(slot) + offset), length);
  return true;
}

const char *hal_mac(void) {
  static const char digits[] = "0123456789abcdef";
  static char text[13] = "7cdfa1000000";
  if (*register32(address(FLASH_IDENTITY_AT)) == FLASH_IDENTITY_MAGIC) {
    for (unsigned n = 0; n < 12; n++) {
      uint8_t byte = *register8(address(FLASH_IDENTITY_AT + 4 + n / 2));
      text[n] = digits[byte >> (n % 2 ? 0 : 4) & 15];
    }
  }
  return text;
}

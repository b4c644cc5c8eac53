/* Flash, slots and retained memory as mapped files: what is written is there after a SIGKILL. */
#define _GNU_SOURCE
#include "board.h"
#include "boot_slots.h"
#include "flash_layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETAINED_BYTES 8192u
#define HEADER_BYTES 4096u

static uint8_t *flash, *retained;
static int running = -1;

static uint8_t *map_file(const char *path, size_t size) {
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0 || ((size_t)status.st_size < size && ftruncate(file, (off_t)size) != 0)) {
    posix_die("cannot open", path);
  }
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) {
    posix_die("cannot map", path);
  }
  close(file);
  return bytes;
}

void posix_flash_open(const char *path) { flash = map_file(path, FLASH_BYTES); }

void posix_retained_open(const char *path, bool is_power_cycle) {
  retained = map_file(path, HEADER_BYTES + RETAINED_BYTES);
  if (is_power_cycle) {
    memset(retained, 0, HEADER_BYTES + RETAINED_BYTES);
  }
}

posix_retained *posix_retained_header(void) { return (posix_retained *)(void *)retained; }

void *hal_retained(size_t *capacity) {
  *capacity = RETAINED_BYTES;
  return retained + HEADER_BYTES;
}

static void program(size_t at, const void *bytes, size_t length) {
  const uint8_t *from = bytes;
  for (size_t n = 0; n < length; n++) {
    flash[at + n] &= from[n];
  }
}

size_t hal_flash_size(void) { return FLASH_DATA_BYTES; }

static bool is_outside(size_t offset, size_t length, size_t size) { return offset > size || length > size - offset; }

bool hal_flash_read(size_t offset, void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES)) {
    return false;
  }
  for (size_t n = 0; n < length; n++) {
    ((uint8_t *)bytes)[n] = flash[FLASH_DATA_FILE_AT(offset + n)];
  }
  return true;
}

bool hal_flash_write(size_t offset, const void *bytes, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES)) {
    return false;
  }
  for (size_t n = 0; n < length; n++) {
    program(FLASH_DATA_FILE_AT(offset + n), (const uint8_t *)bytes + n, 1);
  }
  return true;
}

bool hal_flash_erase(size_t offset, size_t length) {
  if (is_outside(offset, length, FLASH_DATA_BYTES) || offset % FLASH_SECTOR_BYTES || length % FLASH_SECTOR_BYTES) {
    return false;
  }
  for (size_t at = offset; at < offset + length; at += FLASH_SECTOR_BYTES) {
    memset(flash + FLASH_DATA_FILE_AT(at), 0xff, FLASH_SECTOR_BYTES);
  }
  return true;
}

size_t hal_slot_size(void) { return FLASH_SLOT_BYTES; }

void posix_flash_choose_slot(void) { running = boot_choose(); }

int hal_slot_running(void) { return running; }

bool hal_slot_erase(int slot) {
  memset(flash + FLASH_SLOT_AT(slot), 0xff, FLASH_SLOT_BYTES);
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
  memcpy(bytes, flash + FLASH_SLOT_AT(slot) + offset, length);
  return true;
}

const char *hal_mac(void) {
  static const char digits[] = "0123456789abcdef";
  static char text[13] = "7cdfa1000000";
  uint32_t magic;
  memcpy(&magic, flash + FLASH_IDENTITY_AT, sizeof magic);
  for (unsigned n = 0; n < 12 && magic == FLASH_IDENTITY_MAGIC; n++) {
    text[n] = digits[flash[FLASH_IDENTITY_AT + 4 + n / 2] >> (n % 2 ? 0 : 4) & 15];
  }
  return text;
}

#include "boot.h"

#include "boot_slots.h"
#include "hal.h"
#include "sha256.h"

#include <string.h>

static struct {
  bool is_open, has_failed;
  size_t size, written;
  sha256_context sha;
} update;

static int other_slot(void) { return 1 - hal_slot_running(); }

const char *boot_version(void) {
  static boot_slot running;
  if (running.image.magic != BOOT_IMAGE_MAGIC) {
    boot_slot_look(hal_slot_running(), false, &running);
    running.image.version[sizeof running.image.version - 1] = 0;
  }
  return running.is_whole ? running.image.version : "0.0.0";
}

void boot_build(char text[9]) {
  static const char digits[] = "0123456789abcdef";
  boot_slot running;
  boot_slot_look(hal_slot_running(), false, &running);
  for (unsigned n = 0; n < 8; n++) {
    text[n] = digits[running.image.elf_sha256[n / 2] >> (n % 2 ? 0 : 4) & 15];
  }
  text[8] = 0;
}

bool boot_is_unconfirmed(void) {
  boot_slot running;
  boot_slot_look(hal_slot_running(), false, &running);
  return !running.is_confirmed;
}

const char *boot_rolled_back(void) {
  static boot_slot other;
  boot_slot_look(other_slot(), false, &other);
  other.image.version[sizeof other.image.version - 1] = 0;
  return other.is_whole && other.is_given_up && !other.is_told ? other.image.version : NULL;
}

bool boot_update_begin(size_t size) {
  update.is_open = size > sizeof(boot_image) && size <= hal_slot_size() - BOOT_MARKS_BYTES && hal_slot_erase(other_slot());
  update.has_failed = false;
  update.size = size;
  update.written = 0;
  sha256_begin(&update.sha);
  return update.is_open;
}

/* Where the erased rest begins; a piece of FF bytes is taken for erased, and written once more. */
static size_t written_in_slot(size_t size) {
  uint8_t piece[64];
  for (size_t end = size; end > 0;) {
    size_t length = end % sizeof piece == 0 ? sizeof piece : end % sizeof piece;
    if (!hal_slot_read(other_slot(), end - length, piece, length)) {
      return 0;
    }
    for (; length > 0; length--, end--) {
      if (piece[length - 1] != 0xff) {
        return end;
      }
    }
  }
  return 0;
}

size_t boot_update_resume(size_t size, size_t step) {
  uint8_t piece[256];
  if (size <= sizeof(boot_image) || size > hal_slot_size() - BOOT_MARKS_BYTES || step == 0) {
    return 0;
  }
  size_t kept = written_in_slot(size) / step * step;
  /* The last piece may have been cut off by what interrupted the download. */
  kept -= kept > 0 ? step : 0;
  update.is_open = kept > 0;
  update.has_failed = false;
  update.size = size;
  update.written = kept;
  sha256_begin(&update.sha);
  for (size_t at = 0; at < kept; at += sizeof piece) {
    size_t length = kept - at < sizeof piece ? kept - at : sizeof piece;
    update.is_open = update.is_open && hal_slot_read(other_slot(), at, piece, length);
    sha256_add(&update.sha, piece, length);
  }
  return update.is_open ? kept : 0;
}

bool boot_update_write(const void *bytes, size_t length) {
  if (!update.is_open || update.has_failed || length > update.size - update.written ||
      !hal_slot_write(other_slot(), update.written, bytes, length)) {
    update.has_failed = true;
    return false;
  }
  sha256_add(&update.sha, bytes, length);
  update.written += length;
  return true;
}

boot_update_result boot_update_finish(const uint8_t *sha256) {
  uint8_t digest[32];
  if (!update.is_open || update.has_failed || update.written != update.size) {
    bool is_short = update.is_open && !update.has_failed;
    update.is_open = false;
    return is_short ? BOOT_UPDATE_SHORT : BOOT_UPDATE_FLASH;
  }
  update.is_open = false;
  sha256_end(&update.sha, digest);
  if (sha256 != NULL && memcmp(digest, sha256, sizeof digest) != 0) {
    return BOOT_UPDATE_HASH;
  }
  boot_slot running, other;
  boot_slot_look(other_slot(), true, &other);
  if (!other.is_whole || other.image.size != update.size) {
    return BOOT_UPDATE_NOT_AN_IMAGE;
  }
  boot_slot_look(hal_slot_running(), false, &running);
  return boot_slot_arm(other_slot(), running.sequence + 1) ? BOOT_UPDATE_OK : BOOT_UPDATE_FLASH;
}

void boot_update_abort(void) { update.is_open = false; }

void boot_confirm(void) {
  boot_slot running, other;
  boot_slot_look(hal_slot_running(), false, &running);
  if (!running.is_confirmed) {
    boot_slot_mark(hal_slot_running(), BOOT_MARK_CONFIRMED);
  }
  boot_slot_look(other_slot(), false, &other);
  if (other.is_given_up && !other.is_told) {
    boot_slot_mark(other_slot(), BOOT_MARK_TOLD);
  }
}

void boot_roll_back(void) {
  boot_slot other;
  boot_slot_look(other_slot(), true, &other);
  if (boot_slot_can_run(&other)) {
    boot_slot_mark(hal_slot_running(), BOOT_MARK_GIVEN_UP);
  }
  hal_restart();
}

void boot_forget(void) {
  update.is_open = false;
  boot_slot first;
  boot_slot_look(0, true, &first);
  if (hal_slot_running() == 0 || boot_slot_can_run(&first)) {
    hal_slot_erase(1); /* what runs was copied to RAM */
  }
}

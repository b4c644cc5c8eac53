#include "boot_slots.h"

#include "crc32.h"
#include "hal.h"

#include <string.h>

#define ARMED 0x41475246u /* "FRGA" */
#define UNSET 0xffffffffu

/* In the order of writing: the sequence and its complement, then the word that makes them count. */
typedef struct {
  uint32_t sequence, sequence_check, armed;
  uint32_t confirmed, given_up, told;
  uint32_t attempts[BOOT_ATTEMPTS];
} slot_marks;

static size_t marks_at(void) { return hal_slot_size() - BOOT_MARKS_BYTES; }

bool boot_header_is_valid(const boot_image *image, size_t slot_size) {
  return image->magic == BOOT_IMAGE_MAGIC && image->header_crc == crc32(0, image, offsetof(boot_image, header_crc)) &&
         image->size > sizeof *image && image->size <= slot_size - BOOT_MARKS_BYTES &&
         memchr(image->version, 0, sizeof image->version) != NULL;
}

static bool contents_are_whole(int slot, const boot_image *image) {
  uint8_t piece[512];
  uint32_t crc = 0;
  for (size_t at = sizeof *image; at < image->size; at += sizeof piece) {
    size_t length = image->size - at < sizeof piece ? image->size - at : sizeof piece;
    if (!hal_slot_read(slot, at, piece, length)) {
      return false;
    }
    crc = crc32(crc, piece, length);
  }
  return crc == image->crc;
}

void boot_slot_look(int slot, bool check_contents, boot_slot *found) {
  slot_marks marks;
  memset(found, 0, sizeof *found);
  if (!hal_slot_read(slot, 0, &found->image, sizeof found->image) || !hal_slot_read(slot, marks_at(), &marks, sizeof marks)) {
    return;
  }
  found->is_whole = boot_header_is_valid(&found->image, hal_slot_size()) &&
                    (!check_contents || contents_are_whole(slot, &found->image));
  bool has_marks = marks.armed == ARMED && marks.sequence_check == ~marks.sequence;
  found->is_armed = has_marks || slot == 0;
  found->is_confirmed = !has_marks || marks.confirmed != UNSET;
  found->is_given_up = marks.given_up != UNSET;
  found->is_told = marks.told != UNSET;
  found->sequence = has_marks ? marks.sequence : 0;
  for (unsigned n = 0; n < BOOT_ATTEMPTS; n++) {
    found->attempts += marks.attempts[n] != UNSET;
  }
}

bool boot_slot_can_run(const boot_slot *slot) {
  return slot->is_whole && slot->is_armed && !slot->is_given_up;
}

static bool write_word(int slot, size_t offset, uint32_t value) {
  return hal_slot_write(slot, marks_at() + offset, &value, sizeof value);
}

bool boot_slot_mark(int slot, boot_mark mark) {
  boot_slot found;
  switch (mark) {
    case BOOT_MARK_CONFIRMED:
      return write_word(slot, offsetof(slot_marks, confirmed), 0);
    case BOOT_MARK_GIVEN_UP:
      return write_word(slot, offsetof(slot_marks, given_up), 0);
    case BOOT_MARK_TOLD:
      return write_word(slot, offsetof(slot_marks, told), 0);
    case BOOT_MARK_ATTEMPT:
      boot_slot_look(slot, false, &found);
      return found.attempts < BOOT_ATTEMPTS &&
             write_word(slot, offsetof(slot_marks, attempts) + 4 * found.attempts, 0);
  }
  return false;
}

bool boot_slot_arm(int slot, uint32_t sequence) {
  return write_word(slot, offsetof(slot_marks, sequence), sequence) &&
         write_word(slot, offsetof(slot_marks, sequence_check), ~sequence) &&
         write_word(slot, offsetof(slot_marks, armed), ARMED);
}

int boot_choose(void) {
  boot_slot slots[2];
  boot_slot_look(0, true, &slots[0]);
  boot_slot_look(1, true, &slots[1]);
  int newest = slots[1].sequence > slots[0].sequence ? 1 : 0;
  for (int n = 0; n < 2; n++) {
    int slot = n == 0 ? newest : 1 - newest;
    if (!boot_slot_can_run(&slots[slot])) {
      continue;
    }
    if (slots[slot].is_confirmed) {
      return slot;
    }
    if (slots[slot].attempts < BOOT_ATTEMPTS) {
      boot_slot_mark(slot, BOOT_MARK_ATTEMPT);
      return slot;
    }
    /* Giving up the only image there is would end the board for good. */
    if (!boot_slot_can_run(&slots[1 - slot])) {
      return slot;
    }
    boot_slot_mark(slot, BOOT_MARK_GIVEN_UP);
  }
  return -1;
}

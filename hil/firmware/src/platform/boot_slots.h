/* What the boot loader and the firmware both know of the slots. The image stands at a slot's beginning; the slot's last
 * sector holds its *marks*, words that are FF when erased and only ever cleared, so that each step is one atomic write. */
#ifndef FLEETRIG_BOOT_SLOTS_H
#define FLEETRIG_BOOT_SLOTS_H

#include "boot.h"

#define BOOT_MARKS_BYTES 4096u

typedef struct {
  boot_image image;
  bool is_whole;     /* header and contents are what their CRCs say */
  bool is_armed;     /* finished; only such a slot starts, but for slot 0 as it was flashed from outside, without marks */
  bool is_confirmed, is_given_up, is_told;
  unsigned attempts; /* restarts used up while unconfirmed */
  uint32_t sequence; /* of arming: the higher, the newer */
} boot_slot;

typedef enum { BOOT_MARK_CONFIRMED, BOOT_MARK_GIVEN_UP, BOOT_MARK_TOLD, BOOT_MARK_ATTEMPT } boot_mark;

bool boot_header_is_valid(const boot_image *image, size_t slot_size);
/* Reads marks and header; checks the contents, which takes a while, only if asked. */
void boot_slot_look(int slot, bool check_contents, boot_slot *found);
/* Whether boot_choose may take the slot; call after boot_slot_look with contents. */
bool boot_slot_can_run(const boot_slot *slot);
bool boot_slot_mark(int slot, boot_mark mark);
bool boot_slot_arm(int slot, uint32_t sequence);
/* The boot loader's decision: the newest slot that can run; an unconfirmed one loses an attempt, and is given up when none is left. -1: no slot. */
int boot_choose(void);

#endif

/* Two firmware slots and the rule which one runs. An image begins with boot_image; the boot loader starts the newest slot that
 * is whole and not given up. A new image runs *unconfirmed*: it has BOOT_ATTEMPTS restarts to confirm itself, after which the other slot runs again. */
#ifndef FLEETRIG_BOOT_H
#define FLEETRIG_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_IMAGE_MAGIC 0x31475246u /* "FRG1" */
#define BOOT_ATTEMPTS 3

/* First bytes of an image: 128 in all. `crc` is CRC-32 over everything after the header, `header_crc` over the header before it. */
typedef struct {
  uint32_t magic, size, crc, entry;
  char version[32];
  uint8_t elf_sha256[32], reserved[44]; /* the first 4 bytes of the hash are the hello's `build` */
  uint32_t header_crc;
} boot_image;

const char *boot_version(void); /* of the image that runs */
void boot_build(char text[9]); /* its build: 8 hexadecimal digits and a zero */
bool boot_is_unconfirmed(void);
/* The last update was given up by the boot loader since the last confirm: its version, else NULL. */
const char *boot_rolled_back(void);

/* An update: begin erases the other slot, write appends, finish checks size, SHA-256 (32 bytes, may be NULL) and header and arms the
 * slot for the next restart. A power cut before finish leaves the running slot as it is. */
bool boot_update_begin(size_t size);
/* Instead of begin, when a restart interrupted that: what is in the slot of an image of `size` stays, in whole pieces of `step` bytes.
 * Returns how many bytes that is, where writing goes on; 0: nothing is there, begin. */
size_t boot_update_resume(size_t size, size_t step);
bool boot_update_write(const void *bytes, size_t length);
typedef enum { BOOT_UPDATE_OK, BOOT_UPDATE_SHORT, BOOT_UPDATE_HASH, BOOT_UPDATE_NOT_AN_IMAGE, BOOT_UPDATE_FLASH } boot_update_result;
boot_update_result boot_update_finish(const uint8_t *sha256);
void boot_update_abort(void);
void boot_confirm(void);
void boot_roll_back(void) __attribute__((noreturn));
void boot_forget(void); /* command erase: the second slot is empty, slot 0 runs next */

#endif

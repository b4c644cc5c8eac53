/* The flash of boards that run from a file: QEMU's pflash unit 1 and the POSIX process. Erased bytes are FF; holes of a
 * sparse file count as garbage, which every reader here stands. hil/firmware/build.ts writes such files and knows these numbers, too. */
#ifndef FLEETRIG_FLASH_LAYOUT_H
#define FLEETRIG_FLASH_LAYOUT_H

#define FLASH_BYTES 0x2000000u
#define FLASH_BLOCK_BYTES 0x40000u /* what the machine erases at once */
#define FLASH_SLOT_BYTES 0x100000u
#define FLASH_SLOT_AT(slot) ((unsigned)(slot) * FLASH_SLOT_BYTES)
/* Identity, written once: "MAC0" and 6 bytes. */
#define FLASH_IDENTITY_AT 0x200000u
#define FLASH_IDENTITY_MAGIC 0x3043414du
/* Data sectors of 4096 bytes, each in a block of its own, so that they can be erased one by one. */
#define FLASH_DATA_AT 0x1000000u
#define FLASH_SECTOR_BYTES 4096u
#define FLASH_DATA_SECTORS 64u
#define FLASH_DATA_BYTES (FLASH_SECTOR_BYTES * FLASH_DATA_SECTORS)

/* Where a byte of the data region is in the file. */
#define FLASH_DATA_FILE_AT(offset) \
  (FLASH_DATA_AT + (offset) / FLASH_SECTOR_BYTES * FLASH_BLOCK_BYTES + (offset) % FLASH_SECTOR_BYTES)

#endif

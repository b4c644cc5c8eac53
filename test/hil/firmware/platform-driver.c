/* Runs src/platform on flash in memory. Reads commands line by line, answers each with one line; power can be cut after any
 * number of flash bytes, which ends the command with `cut` and starts the board again. */
#include "boot_slots.h"
#include "cobs.h"
#include "crc32.h"
#include "hal.h"
#include "sha256.h"
#include "storage.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_BYTES 262144u
#define SLOT_BYTES 16384u
#define ERASE_STEP 64u

static struct {
  uint8_t data[DATA_BYTES], slots[2][SLOT_BYTES];
} flash, saved;
static long budget = -1; /* flash bytes until the power goes; -1: it stays */
static int running;
static jmp_buf end_of_run;
enum { CUT = 1, RESTARTED };

static void spend(void) {
  if (budget == 0) {
    budget = -1;
    longjmp(end_of_run, CUT);
  }
  budget -= budget > 0;
}

static bool write_bytes(uint8_t *at, const void *bytes, size_t length) {
  for (size_t n = 0; n < length; n++) {
    spend();
    at[n] &= ((const uint8_t *)bytes)[n];
  }
  return true;
}

static bool erase_bytes(uint8_t *at, size_t length) {
  for (size_t n = 0; n < length; n += ERASE_STEP) {
    spend();
    memset(at + n, 0xff, ERASE_STEP);
  }
  return true;
}

size_t hal_flash_size(void) { return DATA_BYTES; }
bool hal_flash_read(size_t offset, void *bytes, size_t length) {
  if (offset > DATA_BYTES || length > DATA_BYTES - offset) abort();
  memcpy(bytes, flash.data + offset, length);
  return true;
}
bool hal_flash_write(size_t offset, const void *bytes, size_t length) {
  if (offset > DATA_BYTES || length > DATA_BYTES - offset) abort();
  return write_bytes(flash.data + offset, bytes, length);
}
bool hal_flash_erase(size_t offset, size_t length) {
  if (offset % 4096 || length % 4096 || offset + length > DATA_BYTES) abort();
  return erase_bytes(flash.data + offset, length);
}
size_t hal_slot_size(void) { return SLOT_BYTES; }
int hal_slot_running(void) { return running; }
bool hal_slot_erase(int slot) { return erase_bytes(flash.slots[slot], SLOT_BYTES); }
bool hal_slot_write(int slot, size_t offset, const void *bytes, size_t length) {
  if (offset + length > SLOT_BYTES) abort();
  return write_bytes(flash.slots[slot] + offset, bytes, length);
}
bool hal_slot_read(int slot, size_t offset, void *bytes, size_t length) {
  if (offset + length > SLOT_BYTES) abort();
  memcpy(bytes, flash.slots[slot] + offset, length);
  return true;
}
void hal_restart(void) { longjmp(end_of_run, RESTARTED); }

static void start(void) {
  budget = -1;
  boot_update_abort();
  storage_start();
}

/* Contents that tell seeds and lengths apart. */
static void fill(uint8_t *bytes, size_t length, unsigned seed) {
  for (size_t n = 0; n < length; n++) {
    seed = seed * 1664525u + 1013904223u;
    bytes[n] = (uint8_t)(seed >> 24);
  }
}

static size_t make_image(uint8_t *bytes, const char *version, size_t length) {
  boot_image *image = (boot_image *)(void *)bytes;
  fill(bytes, length, (unsigned)length);
  memset(image, 0, sizeof *image);
  image->magic = BOOT_IMAGE_MAGIC;
  image->size = (uint32_t)length;
  image->crc = crc32(0, bytes + sizeof *image, length - sizeof *image);
  strncpy(image->version, version, sizeof image->version - 1);
  image->header_crc = crc32(0, image, offsetof(boot_image, header_crc));
  return length;
}

static void update(const char *version, size_t length, bool is_damaged) {
  static _Alignas(8) uint8_t image[SLOT_BYTES];
  uint8_t digest[32];
  sha256_context sha;
  make_image(image, version, length);
  sha256_begin(&sha);
  sha256_add(&sha, image, length);
  sha256_end(&sha, digest);
  image[length - 1] ^= is_damaged ? 1 : 0;
  if (!boot_update_begin(length)) {
    puts("refused");
    return;
  }
  for (size_t at = 0; at < length; at += 100) {
    boot_update_write(image + at, length - at < 100 ? length - at : 100);
  }
  printf("finished %d\n", (int)boot_update_finish(is_damaged ? NULL : digest));
}

static void look(void) {
  boot_slot found;
  boot_slot_look(running, true, &found);
  const char *rolled_back = boot_rolled_back();
  printf("slot %d %s%s%s%s\n", running, found.image.version, found.is_whole ? "" : " damaged",
         boot_is_unconfirmed() ? " unconfirmed" : "", rolled_back == NULL ? "" : " rolled-back");
}

static char listed[65536];
static bool list(uint32_t id, const void *record, size_t length) {
  char text[48];
  snprintf(text, sizeof text, " %u:%zu:%08x", (unsigned)id, length, (unsigned)crc32(0, record, length));
  strncat(listed, text, sizeof listed - strlen(listed) - 1);
  return true;
}

static size_t from_hex(const char *text, uint8_t *bytes) {
  size_t length = strlen(text) / 2;
  for (size_t n = 0; n < length; n++) {
    unsigned byte;
    sscanf(text + 2 * n, "%2x", &byte);
    bytes[n] = (uint8_t)byte;
  }
  return length;
}

static void print_hex(const uint8_t *bytes, size_t length) {
  for (size_t n = 0; n < length; n++) {
    printf("%02x", bytes[n]);
  }
  puts("");
}

static void codec(const char *name, const char *hex) {
  static uint8_t in[8192], out[8448];
  size_t length = from_hex(hex, in);
  if (strcmp(name, "crc") == 0) {
    printf("%08x\n", (unsigned)crc32(0, in, length));
  } else if (strcmp(name, "sha") == 0) {
    sha256_context sha;
    sha256_begin(&sha);
    sha256_add(&sha, in, length / 3);
    sha256_add(&sha, in + length / 3, length - length / 3);
    sha256_end(&sha, out);
    print_hex(out, 32);
  } else if (strcmp(name, "encode") == 0) {
    print_hex(out, cobs_encode(in, length, out));
  } else {
    size_t decoded = cobs_decode(in, length, in);
    if (decoded == (size_t)-1) {
      puts("invalid");
    } else {
      print_hex(in, decoded);
    }
  }
}

static void values(const char *name, const char *key, size_t length, unsigned seed) {
  static uint8_t bytes[8192];
  if (strcmp(name, "put") == 0) {
    fill(bytes, length, seed);
    puts(storage_put(key, bytes, length) ? "ok" : "refused");
  } else if (strcmp(name, "get") == 0) {
    int got = storage_get(key, bytes, sizeof bytes);
    got < 0 ? puts("none") : printf("%d:%08x\n", got, (unsigned)crc32(0, bytes, (size_t)got));
  } else {
    puts(storage_remove(key) ? "ok" : "refused");
  }
}

static void outbox(const char *name, size_t argument, unsigned seed) {
  static uint8_t bytes[2048];
  uint32_t id = 0;
  if (strcmp(name, "append") == 0) {
    fill(bytes, argument, seed);
    outbox_append(bytes, argument, &id) ? printf("id %u\n", (unsigned)id) : puts("full");
  } else if (strcmp(name, "ack") == 0) {
    puts(outbox_acknowledge((uint32_t)argument) ? "ok" : "unknown");
  } else if (strcmp(name, "list") == 0) {
    listed[0] = 0;
    outbox_each(list);
    printf("%zu%s\n", outbox_count(), listed);
  } else {
    outbox_clear();
    puts("ok");
  }
}

static void slots(const char *name, const char *version, size_t length) {
  if (strcmp(name, "factory") == 0) {
    memset(flash.slots, 0xff, sizeof flash.slots);
    make_image(flash.slots[0], version, length);
    puts("ok");
  } else if (strcmp(name, "update") == 0 || strcmp(name, "damaged") == 0) {
    update(version, length, name[0] == 'd');
  } else if (strcmp(name, "choose") == 0) {
    int chosen = boot_choose();
    running = chosen < 0 ? running : chosen;
    printf("slot %d\n", chosen);
  } else if (strcmp(name, "confirm") == 0) {
    boot_confirm();
    puts("ok");
  } else if (strcmp(name, "forget") == 0) {
    boot_forget();
    puts("ok");
  } else if (strcmp(name, "rollback") == 0) {
    boot_roll_back();
  } else {
    look();
  }
}

static void run(const char *name, const char *word, size_t number, unsigned seed) {
  if (strcmp(name, "put") == 0 || strcmp(name, "get") == 0 || strcmp(name, "remove") == 0) {
    values(name, word, number, seed);
  } else if (strcmp(name, "crc") == 0 || strcmp(name, "sha") == 0 || strcmp(name, "encode") == 0 || strcmp(name, "decode") == 0) {
    codec(name, word);
  } else if (strcmp(name, "append") == 0 || strcmp(name, "ack") == 0 || strcmp(name, "list") == 0 || strcmp(name, "clear") == 0) {
    outbox(name, (size_t)strtoul(word, NULL, 10), (unsigned)number);
  } else if (strcmp(name, "erase") == 0) {
    storage_erase();
    puts("ok");
  } else if (strcmp(name, "power") == 0) {
    budget = strtol(word, NULL, 10);
    puts("ok");
  } else if (strcmp(name, "restart") == 0) {
    start();
    puts("ok");
  } else if (strcmp(name, "save") == 0) {
    saved = flash;
    puts("ok");
  } else if (strcmp(name, "restore") == 0) {
    flash = saved;
    start();
    puts("ok");
  } else {
    slots(name, word, number);
  }
}

int main(void) {
  static char line[20000], name[16], word[16500];
  memset(&flash, 0xff, sizeof flash);
  start();
  while (fgets(line, sizeof line, stdin) != NULL) {
    unsigned long number = 0;
    unsigned seed = 0;
    name[0] = word[0] = 0;
    sscanf(line, "%15s %16499s %lu %u", name, word, &number, &seed);
    int ended = setjmp(end_of_run);
    if (ended == 0) {
      run(name, word, (size_t)number, seed);
      budget = strcmp(name, "power") == 0 ? budget : -1;
    } else {
      puts(ended == CUT ? "cut" : "restarted");
      start();
    }
  }
  return 0;
}

/* The outbox: a ring of sectors, filled with records. A record is acknowledged by clearing a word of it; a sector without
 * unacknowledged records can be erased when its turn comes. Ids grow; a sector's header says with which it begins. */
#include "crc32.h"
#include "hal.h"
#include "storage.h"
#include "storage_layout.h"

#include <string.h>

#define SECTOR_BYTES 4096u
#define SECTORS (STORAGE_OUTBOX_BYTES / SECTOR_BYTES)
#define RECORD_MAX 1024u
#define SECTOR_MAGIC 0x314f5246u
#define RECORD_MAGIC 0x4252u
#define PENDING 0xffffffffu

typedef struct {
  uint32_t magic, sequence, first_id, check; /* check: CRC-32 of the words before it */
} sector_header;

typedef struct {
  uint16_t magic, length;
  uint32_t id, crc;      /* crc: of magic, length, id and the contents */
  uint32_t acknowledged; /* FF while pending */
} outbox_record;

static struct {
  uint32_t sequences[SECTORS]; /* 0: holds nothing */
  uint16_t pending[SECTORS];
  uint32_t first_ids[SECTORS];
  unsigned head;
  uint32_t head_used; /* SECTOR_BYTES: full, torn, or there is no head yet */
  uint32_t next_id, next_sequence;
} o;

static uint8_t contents[RECORD_MAX];

static uint32_t sector_at(unsigned sector) { return STORAGE_OUTBOX_AT + sector * SECTOR_BYTES; }

static uint32_t record_size(size_t length) { return (uint32_t)(sizeof(outbox_record) + ((length + 3) & ~(size_t)3)); }

static uint32_t record_crc(const outbox_record *record, const void *bytes) {
  return crc32(crc32(0, record, offsetof(outbox_record, crc)), bytes, record->length);
}

/* The record at `at` of a sector, with its contents; false: there is no whole one. */
static bool read_record(unsigned sector, uint32_t at, outbox_record *record) {
  return SECTOR_BYTES - at >= sizeof *record && hal_flash_read(sector_at(sector) + at, record, sizeof *record) &&
         record->magic == RECORD_MAGIC && record->length <= RECORD_MAX && record_size(record->length) <= SECTOR_BYTES - at &&
         hal_flash_read(sector_at(sector) + at + sizeof *record, contents, record->length) &&
         record->crc == record_crc(record, contents);
}

static bool is_erased(unsigned sector, uint32_t at) {
  uint8_t byte;
  for (; at < SECTOR_BYTES; at++) {
    if (!hal_flash_read(sector_at(sector) + at, &byte, 1) || byte != 0xff) {
      return false;
    }
  }
  return true;
}

static void load_sector(unsigned sector) {
  sector_header header;
  hal_flash_read(sector_at(sector), &header, sizeof header);
  if (header.magic != SECTOR_MAGIC || header.check != crc32(0, &header, offsetof(sector_header, check))) {
    return;
  }
  o.sequences[sector] = header.sequence;
  o.first_ids[sector] = header.first_id;
  uint32_t at = sizeof header, next_id = header.first_id;
  outbox_record record;
  while (read_record(sector, at, &record)) {
    o.pending[sector] = (uint16_t)(o.pending[sector] + (record.acknowledged == PENDING));
    next_id = record.id + 1;
    at += record_size(record.length);
  }
  if (header.sequence >= o.next_sequence) {
    o.next_sequence = header.sequence + 1;
    o.head = sector;
    o.head_used = is_erased(sector, at) ? at : SECTOR_BYTES;
    o.next_id = next_id;
  }
}

void outbox_start(void) {
  memset(&o, 0, sizeof o);
  o.next_id = o.next_sequence = 1;
  o.head_used = SECTOR_BYTES;
  for (unsigned n = 0; n < SECTORS; n++) {
    load_sector(n);
  }
}

static bool begin_sector(unsigned sector) {
  sector_header header = {.magic = SECTOR_MAGIC, .sequence = o.next_sequence, .first_id = o.next_id};
  header.check = crc32(0, &header, offsetof(sector_header, check));
  o.sequences[sector] = 0;
  if (!hal_flash_erase(sector_at(sector), SECTOR_BYTES) || !hal_flash_write(sector_at(sector), &header, sizeof header)) {
    return false;
  }
  o.sequences[sector] = o.next_sequence++;
  o.first_ids[sector] = o.next_id;
  o.pending[sector] = 0;
  o.head = sector;
  o.head_used = sizeof header;
  return true;
}

bool outbox_append(const void *bytes, size_t length, uint32_t *id) {
  if (length > RECORD_MAX) {
    return false;
  }
  if (record_size(length) > SECTOR_BYTES - o.head_used) {
    unsigned next = (o.head + 1) % SECTORS;
    if ((o.sequences[next] != 0 && o.pending[next] > 0) || !begin_sector(next)) {
      return false;
    }
  }
  outbox_record record = {.magic = RECORD_MAGIC, .length = (uint16_t)length, .id = o.next_id, .acknowledged = PENDING};
  record.crc = record_crc(&record, bytes);
  uint32_t at = sector_at(o.head) + o.head_used;
  if (!hal_flash_write(at, &record, sizeof record) || !hal_flash_write(at + sizeof record, bytes, length)) {
    o.head_used = SECTOR_BYTES;
    return false;
  }
  o.head_used += record_size(length);
  o.pending[o.head]++;
  *id = o.next_id++;
  return true;
}

static unsigned oldest_after(uint32_t sequence) {
  unsigned oldest = SECTORS;
  for (unsigned n = 0; n < SECTORS; n++) {
    if (o.sequences[n] > sequence && (oldest == SECTORS || o.sequences[n] < o.sequences[oldest])) {
      oldest = n;
    }
  }
  return oldest;
}

/* The newest sector whose first id is not above `id`. */
static unsigned sector_of(uint32_t id) {
  unsigned found = SECTORS;
  for (unsigned n = 0; n < SECTORS; n++) {
    if (o.sequences[n] != 0 && o.first_ids[n] <= id && (found == SECTORS || o.sequences[n] > o.sequences[found])) {
      found = n;
    }
  }
  return found;
}

bool outbox_acknowledge(uint32_t id) {
  unsigned sector = sector_of(id);
  outbox_record record;
  if (sector == SECTORS) {
    return false;
  }
  for (uint32_t at = sizeof(sector_header); read_record(sector, at, &record); at += record_size(record.length)) {
    if (record.id != id) {
      continue;
    }
    uint32_t acknowledged = 0;
    if (record.acknowledged != PENDING ||
        !hal_flash_write(sector_at(sector) + at + offsetof(outbox_record, acknowledged), &acknowledged, sizeof acknowledged)) {
      return false;
    }
    o.pending[sector]--;
    return true;
  }
  return false;
}

static void visit(bool is_ever, bool (*each)(uint32_t id, const void *record, size_t length)) {
  outbox_record record;
  uint32_t last_id = o.next_id; /* what is appended meanwhile is not visited */
  for (unsigned sector = oldest_after(0); sector != SECTORS; sector = oldest_after(o.sequences[sector])) {
    if (o.pending[sector] == 0 && !is_ever) {
      continue;
    }
    for (uint32_t at = sizeof(sector_header); read_record(sector, at, &record) && record.id < last_id;
         at += record_size(record.length)) {
      if ((is_ever || record.acknowledged == PENDING) && !each(record.id, contents, record.length)) {
        return;
      }
    }
  }
}

void outbox_each(bool (*each)(uint32_t id, const void *record, size_t length)) { visit(false, each); }
void outbox_each_ever(bool (*each)(uint32_t id, const void *record, size_t length)) { visit(true, each); }

size_t outbox_count(void) {
  size_t count = 0;
  for (unsigned n = 0; n < SECTORS; n++) {
    count += o.sequences[n] != 0 ? o.pending[n] : 0;
  }
  return count;
}

void outbox_clear(void) {
  /* Oldest first: a power cut leaves the newest ones, in order. The empty sector that is begun keeps the ids growing. */
  for (unsigned sector = oldest_after(0); sector != SECTORS; sector = oldest_after(0)) {
    hal_flash_erase(sector_at(sector), SECTOR_BYTES);
    o.sequences[sector] = 0;
    o.pending[sector] = 0;
  }
  o.head_used = SECTOR_BYTES;
  begin_sector((o.head + 1) % SECTORS);
}

/* Values by key, as a log. The region is a ring of segments; a segment begins with its header and is filled with records until
 * one does not fit. The newest record of a key counts. When only one erased segment is left, the live records of the oldest segment
 * are copied into it; only when all of them are there is it committed, so a power cut never loses the room to copy into. */
#include "storage.h"

#include "crc32.h"
#include "hal.h"
#include "storage_layout.h"

#include <string.h>

#define SEGMENT_BYTES 16384u
#define SEGMENTS (STORAGE_VALUES_BYTES / SEGMENT_BYTES)
#define KEYS 64u
#define KEY_MAX 15u
#define VALUE_MAX 8192u
/* What may be live, headers included: a segment can be half empty in front of a long record, and two segments are the log's own. */
#define LIVE_MAX 40960u

#define SEGMENT_MAGIC 0x31535246u
#define RECORD_MAGIC 0x5652u
#define COMMITTED 0u

typedef struct {
  uint32_t magic, sequence, check; /* check: complement of the sequence */
  uint32_t committed;              /* FF while live records are copied into it */
} segment_header;

enum { VALUE, REMOVAL, ERASURE };

typedef struct {
  uint16_t magic;
  uint8_t key_length, kind;
  uint32_t length;
  uint32_t crc; /* of the header before it, the key and the value */
} record_header;

typedef struct {
  char key[KEY_MAX + 1]; /* empty: not used */
  uint32_t at;           /* of the record */
  uint16_t length;
  bool is_removal; /* kept while an older record may still be in the flash */
} index_entry;

static struct {
  uint32_t sequences[SEGMENTS]; /* 0: erased, or to be erased */
  index_entry keys[KEYS];
  unsigned head;
  uint32_t head_used;
  bool is_broken; /* the head has a torn record, or is none at all: nothing is appended to it */
} s;

static uint8_t copy[512];

static size_t padded(size_t length) { return (length + 3) & ~(size_t)3; }

static size_t record_size(size_t key_length, size_t length) { return sizeof(record_header) + padded(key_length + length); }

static uint32_t record_crc(const record_header *header, const char *key, const void *value) {
  uint32_t crc = crc32(0, header, offsetof(record_header, crc));
  crc = crc32(crc, key, header->key_length);
  return value == NULL ? crc : crc32(crc, value, header->length);
}

static index_entry *find(const char *key) {
  for (unsigned n = 0; n < KEYS; n++) {
    if (strcmp(s.keys[n].key, key) == 0) {
      return &s.keys[n];
    }
  }
  return NULL;
}

static size_t entry_size(const index_entry *entry) { return record_size(strlen(entry->key), entry->length); }

static unsigned segment_of(uint32_t at) { return at / SEGMENT_BYTES; }

static void remember(const char *key, uint32_t at, const record_header *header) {
  if (header->kind == ERASURE) {
    memset(s.keys, 0, sizeof s.keys);
    return;
  }
  index_entry *entry = find(key);
  entry = entry != NULL ? entry : find("");
  if (entry == NULL) {
    return; /* put refuses before there are too many */
  }
  strcpy(entry->key, key);
  entry->at = at;
  entry->length = (uint16_t)header->length;
  entry->is_removal = header->kind == REMOVAL;
}

/* The record at `at`, if there is a whole one before `end`; its key goes to `key`. */
static bool read_record(uint32_t at, uint32_t end, record_header *header, char key[KEY_MAX + 1]) {
  if (end - at < sizeof *header || !hal_flash_read(at, header, sizeof *header) || header->magic != RECORD_MAGIC ||
      header->key_length == 0 || header->key_length > KEY_MAX || header->length > VALUE_MAX ||
      record_size(header->key_length, header->length) > end - at) {
    return false;
  }
  uint32_t from = at + (uint32_t)sizeof *header;
  hal_flash_read(from, key, header->key_length);
  key[header->key_length] = 0;
  uint32_t crc = record_crc(header, key, NULL);
  from += header->key_length;
  for (uint32_t left = header->length; left > 0;) {
    uint32_t piece = left < sizeof copy ? left : (uint32_t)sizeof copy;
    hal_flash_read(from, copy, piece);
    crc = crc32(crc, copy, piece);
    from += piece;
    left -= piece;
  }
  return crc == header->crc;
}

static bool is_erased(uint32_t at, uint32_t end) {
  while (at < end) {
    uint32_t piece = end - at < sizeof copy ? end - at : (uint32_t)sizeof copy;
    hal_flash_read(at, copy, piece);
    for (uint32_t n = 0; n < piece; n++) {
      if (copy[n] != 0xff) {
        return false;
      }
    }
    at += piece;
  }
  return true;
}

/* Takes over what the segment says; true if records can still be appended. */
static bool replay(unsigned segment) {
  record_header header;
  char key[KEY_MAX + 1];
  uint32_t begin = segment * SEGMENT_BYTES, end = begin + SEGMENT_BYTES;
  uint32_t at = begin + (uint32_t)sizeof(segment_header);
  while (read_record(at, end, &header, key)) {
    remember(key, at, &header);
    at += (uint32_t)record_size(header.key_length, header.length);
  }
  s.head = segment;
  s.head_used = at - begin;
  return is_erased(at, end);
}

static bool is_live(unsigned segment) {
  for (unsigned n = 0; n < KEYS; n++) {
    if (s.keys[n].key[0] != 0 && segment_of(s.keys[n].at) == segment) {
      return true;
    }
  }
  return false;
}

static uint32_t newest_sequence(void) {
  uint32_t newest = 0;
  for (unsigned n = 0; n < SEGMENTS; n++) {
    newest = s.sequences[n] > newest ? s.sequences[n] : newest;
  }
  return newest;
}

/* Erases the next free segment after the head and begins it; SEGMENTS: there is none. */
static unsigned begin_segment(bool is_committed) {
  for (unsigned n = 1; n <= SEGMENTS; n++) {
    unsigned segment = (s.head + n) % SEGMENTS;
    if (s.sequences[segment] != 0) {
      continue;
    }
    segment_header header = {.magic = SEGMENT_MAGIC, .sequence = newest_sequence() + 1, .committed = is_committed ? COMMITTED : ~0u};
    header.check = ~header.sequence;
    if (!hal_flash_erase(segment * SEGMENT_BYTES, SEGMENT_BYTES) ||
        !hal_flash_write(segment * SEGMENT_BYTES, &header, sizeof header)) {
      return SEGMENTS;
    }
    s.sequences[segment] = header.sequence;
    return segment;
  }
  return SEGMENTS;
}

/* Written down at once: a removal may be dropped when nothing older is valid, and must not be outlived by what it removed. */
static void invalidate(unsigned segment) {
  uint32_t invalid = 0;
  hal_flash_write(segment * SEGMENT_BYTES + offsetof(segment_header, magic), &invalid, sizeof invalid);
  s.sequences[segment] = 0;
}

/* Segments of which nothing is live are free; returns how many there are. */
static unsigned count_free(void) {
  unsigned count = 0;
  for (unsigned n = 0; n < SEGMENTS; n++) {
    if (n != s.head && s.sequences[n] != 0 && !is_live(n)) {
      invalidate(n);
    }
    count += s.sequences[n] == 0;
  }
  return count;
}

static unsigned oldest_segment(void) {
  unsigned oldest = SEGMENTS;
  for (unsigned n = 0; n < SEGMENTS; n++) {
    if (s.sequences[n] != 0 && (oldest == SEGMENTS || s.sequences[n] < s.sequences[oldest])) {
      oldest = n;
    }
  }
  return oldest;
}

static bool copy_record(const index_entry *entry, uint32_t to) {
  size_t size = entry_size(entry);
  for (size_t at = 0; at < size; at += sizeof copy) {
    size_t piece = size - at < sizeof copy ? size - at : sizeof copy;
    if (!hal_flash_read(entry->at + at, copy, piece) || !hal_flash_write(to + at, copy, piece)) {
      return false;
    }
  }
  return true;
}

/* Moves what is live in the oldest segment into a new one, which becomes the head. Removals of the oldest have nothing left to remove. */
static bool clean_oldest(void) {
  unsigned oldest = oldest_segment(), target = begin_segment(false);
  if (oldest == SEGMENTS || target == SEGMENTS) {
    return false;
  }
  uint32_t begin = target * SEGMENT_BYTES, used = (uint32_t)sizeof(segment_header);
  uint32_t moved[KEYS] = {0};
  for (unsigned n = 0; n < KEYS; n++) {
    index_entry *entry = &s.keys[n];
    if (entry->key[0] == 0 || segment_of(entry->at) != oldest || entry->is_removal) {
      continue;
    }
    if (!copy_record(entry, begin + used)) {
      return false;
    }
    moved[n] = begin + used;
    used += (uint32_t)entry_size(entry);
  }
  uint32_t committed = COMMITTED;
  if (!hal_flash_write(begin + offsetof(segment_header, committed), &committed, sizeof committed)) {
    return false;
  }
  for (unsigned n = 0; n < KEYS; n++) {
    index_entry *entry = &s.keys[n];
    if (moved[n] != 0) {
      entry->at = moved[n];
    } else if (entry->key[0] != 0 && segment_of(entry->at) == oldest) {
      entry->key[0] = 0;
    }
  }
  invalidate(oldest);
  s.head = target;
  s.head_used = used;
  s.is_broken = false;
  return true;
}

static bool make_room(size_t size) {
  for (unsigned n = 0; n < 2 * SEGMENTS; n++) {
    if (!s.is_broken && SEGMENT_BYTES - s.head_used >= size) {
      return true;
    }
    if (count_free() < 2) {
      if (!clean_oldest()) {
        return false;
      }
      continue;
    }
    unsigned segment = begin_segment(true);
    if (segment == SEGMENTS) {
      return false;
    }
    s.head = segment;
    s.head_used = (uint32_t)sizeof(segment_header);
    s.is_broken = false;
  }
  return false;
}

static bool append(const char *key, const void *value, size_t length, int kind) {
  size_t key_length = strlen(key), size = record_size(key_length, length);
  if (!make_room(size)) {
    return false;
  }
  record_header header = {
      .magic = RECORD_MAGIC, .key_length = (uint8_t)key_length, .kind = (uint8_t)kind, .length = (uint32_t)length};
  header.crc = record_crc(&header, key, value);
  uint32_t at = s.head * SEGMENT_BYTES + s.head_used;
  bool is_written = hal_flash_write(at, &header, sizeof header) &&
                    hal_flash_write(at + sizeof header, key, key_length) &&
                    (length == 0 || hal_flash_write(at + sizeof header + key_length, value, length));
  if (!is_written) {
    s.is_broken = true;
    return false;
  }
  s.head_used += (uint32_t)size;
  remember(key, at, &header);
  return true;
}

/* Orders the segments by age and replays them; a segment that was not committed is as good as erased. */
static void load_segments(void) {
  memset(&s, 0, sizeof s);
  for (unsigned n = 0; n < SEGMENTS; n++) {
    segment_header header;
    hal_flash_read(n * SEGMENT_BYTES, &header, sizeof header);
    bool is_valid = header.magic == SEGMENT_MAGIC && header.check == ~header.sequence && header.committed == COMMITTED;
    s.sequences[n] = is_valid ? header.sequence : 0;
  }
  s.is_broken = true;
  s.head = SEGMENTS - 1;
  for (uint32_t last = 0;;) {
    unsigned next = SEGMENTS;
    for (unsigned n = 0; n < SEGMENTS; n++) {
      if (s.sequences[n] > last && (next == SEGMENTS || s.sequences[n] < s.sequences[next])) {
        next = n;
      }
    }
    if (next == SEGMENTS) {
      return;
    }
    last = s.sequences[next];
    s.is_broken = !replay(next);
  }
}

void storage_start(void) {
  load_segments();
  outbox_start();
}

bool storage_put(const char *key, const void *value, size_t length) {
  size_t key_length = strlen(key);
  index_entry *entry = find(key);
  if (key_length == 0 || key_length > KEY_MAX || length > VALUE_MAX || (entry == NULL && find("") == NULL)) {
    return false;
  }
  size_t live = record_size(key_length, length);
  for (unsigned n = 0; n < KEYS; n++) {
    live += s.keys[n].key[0] != 0 && &s.keys[n] != entry ? entry_size(&s.keys[n]) : 0;
  }
  return live <= LIVE_MAX && append(key, value, length, VALUE);
}

int storage_get(const char *key, void *value, size_t capacity) {
  const index_entry *entry = key[0] == 0 ? NULL : find(key);
  if (entry == NULL || entry->is_removal || entry->length > capacity ||
      !hal_flash_read(entry->at + sizeof(record_header) + strlen(key), value, entry->length)) {
    return -1;
  }
  return entry->length;
}

bool storage_remove(const char *key) {
  const index_entry *entry = key[0] == 0 ? NULL : find(key);
  return entry == NULL || entry->is_removal || append(key, NULL, 0, REMOVAL);
}

void storage_erase(void) {
  /* One record that says so makes it atomic; what is older is then free. */
  if (append("*", NULL, 0, ERASURE)) {
    count_free();
  }
  outbox_clear();
}

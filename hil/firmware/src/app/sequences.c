#include "sequences.h"

#include <string.h>

#include "member.h"
#include "outgoing.h"
#include "storage.h"

static const char KEY[] = "sequences";
/* Flash wears out: numbers are reserved for so long, and so many at most. */
static const int64_t RESERVED_US = 60000000;
enum { RESERVED_MAX = 64 };
/* A stream's last record can be overwritten by those of others. Fewer records than the outbox always holds lie between two savings. */
enum { SAVED_EVERY_RECORDS = 64 };

/* In storage: numbers below these count as used, in the run of that configuration. */
static struct {
  uint32_t generation;
  uint32_t after[MEMBER_STREAMS_MAX];
} used;
static bool is_lost;

static void save(void) {
  for (size_t i = 0; i < member.stream_count; i += 1) {
    if (memory->sequences[i] > used.after[i]) used.after[i] = memory->sequences[i];
  }
  storage_put(KEY, &used, sizeof used);
}

void sequences_begin(bool is_new) {
  const bool is_known =
      !is_new && storage_get(KEY, &used, sizeof used) == (int)sizeof used && used.generation == memory->generation;
  if (!is_known) memset(&used, 0, sizeof used);
  used.generation = memory->generation;
  const bool is_remembered = !is_new && memory->elapsed_us != 0;
  is_lost = !is_new && !is_known && !is_remembered;
  if (!is_new && !is_remembered) {
    outgoing_sequences_after(memory->sequences);
    for (size_t i = 0; i < member.stream_count; i += 1) {
      if (used.after[i] > memory->sequences[i]) memory->sequences[i] = used.after[i];
    }
  }
  if (!is_lost) save();
}

bool sequences_are_lost(void) { return is_lost; }

void sequences_count_anew(int64_t now_us) {
  for (size_t i = 0; i < member.stream_count; i += 1) {
    const member_stream *plan = &member.streams[i];
    if (now_us < plan->offset_us) continue;
    const int64_t passed = (now_us - plan->offset_us) / plan->every_us + 1;
    if (passed > memory->sequences[i]) memory->sequences[i] = (uint32_t)passed;
  }
  is_lost = false;
  save();
}

uint32_t sequences_take(size_t stream) { return memory->sequences[stream]++; }

void sequences_kept(uint32_t record) {
  if (record % SAVED_EVERY_RECORDS == 0) save();
}

void sequences_unkept(size_t stream) {
  if (memory->sequences[stream] <= used.after[stream]) return;
  const int64_t wanted = RESERVED_US / member.streams[stream].every_us;
  const uint32_t ahead = wanted > RESERVED_MAX ? RESERVED_MAX : wanted < 1 ? 1 : (uint32_t)wanted;
  used.after[stream] = memory->sequences[stream] + ahead - 1;
  save();
}

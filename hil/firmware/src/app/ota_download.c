#include "ota_download.h"

#include <string.h>

#include "base64.h"
#include "boot.h"
#include "hal.h"
#include "json.h"
#include "link.h"
#include "marker.h"
#include "member.h"
#include "model.h"
#include "ota_phases.h"
#include "sha256.h"
#include "timer.h"
#include "topics.h"

enum { AHEAD_BLOCKS = 8, BLOCK_MAX = 8192 };
/* What was asked for and did not come is asked for again. */
static const uint64_t ANSWER_TIMEOUT_US = 5000000;

static ota_source source;
static const ota_download_handlers *handlers;
static bool is_running, is_connected;
static uint32_t size, blocks, received, asked, done;
static int file, stream_version;

static void ask_again(void);
static timer answer = {.fire = ask_again};

static bool topic_of(char topic[TOPIC_TEXT_MAX], const char *suffix) { return TOPIC(topic, "/streams/", source.stream, suffix); }

void ota_download_start(const ota_source *wanted, const ota_download_handlers *to) {
  source = *wanted;
  if (source.block_bytes < 256) source.block_bytes = 256;
  if (source.block_bytes > BLOCK_MAX) source.block_bytes = BLOCK_MAX;
  handlers = to;
  is_running = true;
  is_connected = false;
  size = blocks = received = asked = done = 0;
}

void ota_download_stop(void) {
  is_running = false;
  timer_cancel(&answer);
}

void ota_download_paused(void) {
  is_connected = false;
  asked = received;
  timer_cancel(&answer);
}

uint32_t ota_download_blocks(void) { return received; }

bool ota_download_is_described(void) { return blocks > 0; }

static void describe(void) {
  char topic[TOPIC_TEXT_MAX];
  if (topic_of(topic, "/describe/json")) model_request(topic, "{}", 2);
  timer_after(&answer, ANSWER_TIMEOUT_US);
}

static void ask(void) {
  char topic[TOPIC_TEXT_MAX], body[96];
  const uint32_t until = done + AHEAD_BLOCKS < blocks ? done + AHEAD_BLOCKS : blocks;
  if (!is_connected || asked > received || asked >= until) return;
  json_writer out = json_writer_on(body, sizeof body);
  json_begin(&out, '{');
  json_name(&out, "s");
  json_put_integer(&out, stream_version);
  json_name(&out, "f");
  json_put_integer(&out, file);
  json_name(&out, "l");
  json_put_integer(&out, source.block_bytes);
  json_name(&out, "o");
  json_put_integer(&out, asked);
  json_name(&out, "n");
  json_put_integer(&out, until - asked);
  json_end(&out, '}');
  const int length = json_finish(&out);
  if (length < 0 || !topic_of(topic, "/get/json")) return;
  asked = until;
  timer_after(&answer, ANSWER_TIMEOUT_US);
  model_request(topic, body, (size_t)length);
}

static void ask_again(void) {
  if (!is_running || !is_connected) return;
  asked = received;
  if (blocks == 0) describe();
  else ask();
}

void ota_download_connected(void) {
  static const char *const SUFFIXES[] = {"/description/json", "/data/json", "/rejected/json"};
  char topic[TOPIC_TEXT_MAX];
  if (!is_running) return;
  is_connected = true;
  for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i += 1) {
    if (topic_of(topic, SUFFIXES[i])) model_subscribe(topic);
  }
  ask_again();
}

void ota_download_advance(uint32_t blocks_done) {
  done = blocks_done;
  ask();
}

/* Goes on behind what an earlier run of the board left in the slot. */
static bool open_slot(void) {
  received = source.is_resumed ? (uint32_t)(boot_update_resume(size, source.block_bytes) / source.block_bytes) : 0;
  if (received > 0) {
    link_log('I', "ota", "%lu of %lu blocks are here already", (unsigned long)received, (unsigned long)blocks);
    marker("ota.resumed-at-block", received);
    return true;
  }
  return boot_update_begin(size);
}

static void take_description(json_value body) {
  json_value name, each;
  if (blocks != 0) return;
  json_walk walk = json_walk_of(json_member(body, "r"));
  while (size == 0 && json_next(&walk, &name, &each)) {
    const int id = (int)json_integer_or(json_member(each, "f"), -1);
    if (source.file >= 0 && id != source.file) continue;
    const int64_t bytes = json_integer_or(json_member(each, "z"), 0);
    file = id;
    size = bytes > 0 && bytes <= (int64_t)hal_slot_size() ? (uint32_t)bytes : 0;
  }
  stream_version = (int)json_integer_or(json_member(body, "s"), 1);
  blocks = (size + source.block_bytes - 1) / source.block_bytes;
  if (size == 0 || !open_slot()) {
    handlers->failed();
    return;
  }
  asked = received;
  handlers->described(blocks);
  ask();
}

static void take_block(json_value body) {
  static uint8_t block[BLOCK_MAX];
  const int64_t index = json_integer_or(json_member(body, "i"), -1);
  if (blocks == 0 || index != (int64_t)received || received >= blocks) return;
  const uint32_t left = size - received * source.block_bytes, expected = left < source.block_bytes ? left : source.block_bytes;
  const json_value text = json_member(body, "p");
  if (!json_is_string(text) || base64_decode(text.text + 1, text.length - 2, block, sizeof block) != (int)expected) return;
  if (source.is_damaged && received == blocks / 2) block[0] ^= 1;
  if (!boot_update_write(block, expected)) {
    handlers->failed();
    return;
  }
  received += 1;
  if (asked < received) asked = received;
  if (received == blocks) timer_cancel(&answer);
  else timer_after(&answer, ANSWER_TIMEOUT_US);
  handlers->arrived();
  if (is_running) ask();
}

bool ota_download_message(const char *topic, const uint8_t *payload, size_t length) {
  char expected[TOPIC_TEXT_MAX];
  json_value body;
  if (!is_running || topic_after(topic, "/streams/") == NULL) return false;
  if (!json_parse((const char *)payload, length, &body)) return true;
  if (topic_of(expected, "/data/json") && strcmp(topic, expected) == 0) {
    take_block(body);
  } else if (topic_of(expected, "/description/json") && strcmp(topic, expected) == 0) {
    take_description(body);
  } else if (topic_of(expected, "/rejected/json") && strcmp(topic, expected) == 0) {
    link_log('E', "ota", "the stream %s was refused", source.stream);
    handlers->failed();
  }
  return true;
}

void ota_download_sha256(char hex[65]) {
  uint8_t piece[256], digest[32];
  sha256_context image;
  sha256_begin(&image);
  for (size_t at = 0; at < size; at += sizeof piece) {
    const size_t length = size - at < sizeof piece ? size - at : sizeof piece;
    if (hal_slot_read(1 - hal_slot_running(), at, piece, length)) sha256_add(&image, piece, length);
  }
  sha256_end(&image, digest);
  ota_hex(digest, hex);
}

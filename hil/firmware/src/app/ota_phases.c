#include "ota_phases.h"

#include <string.h>

#include "number.h"
#include "sha256.h"

enum { ARTIFACT_BYTES = 65536, BLOCKS_MAX = 64, SEED_BYTES = 32 };
static const double DOWNLOAD = 0.5, VERIFY = 0.1, FLASH = 0.2, DOWN = 0.12, SELF_TEST = 0.08, DEFAULT_SLOW_FACTOR = 5;

static const char *const NAMES[OTA_FAULTS] = {
    [OTA_OFFLINE] = "ota.offline",           [OTA_REJECTED] = "ota.rejected",           [OTA_DOWNLOAD_STALL] = "ota.download-stall",
    [OTA_DOWNLOAD_FAILED] = "ota.download-failed", [OTA_VERIFY_FAILED] = "ota.verify-failed", [OTA_FLASH_FAILED] = "ota.flash-failed",
    [OTA_BOOT_LOOP] = "ota.boot-loop-rollback", [OTA_HANG] = "ota.hang",                [OTA_SILENT] = "ota.silent-after-reboot",
    [OTA_SLOW] = "ota.slow",
};

int ota_fault_of(const char *name) {
  for (int fault = 0; fault < OTA_FAULTS; fault += 1) {
    if (strcmp(NAMES[fault], name) == 0) return fault;
  }
  return -1;
}

void ota_fault_set(ota_faults *faults, ota_fault fault, bool is_active, json_value detail) {
  const uint32_t bit = 1u << fault;
  faults->active = is_active ? faults->active | bit : faults->active & ~bit;
  if (fault == OTA_SLOW) {
    const double factor = json_number_or(json_member(detail, "factor"), 0);
    faults->slow_factor = factor > 0 ? factor : DEFAULT_SLOW_FACTOR;
  }
  if (fault == OTA_SILENT) faults->claims_success = is_active && json_text_is(json_member(detail, "report"), "SUCCEEDED");
}

/* What part of the whole has passed when a fault ends the update. */
static double ends_at(const ota_faults *faults) {
  if (ota_has(faults, OTA_DOWNLOAD_FAILED)) return DOWNLOAD / 2;
  if (ota_has(faults, OTA_VERIFY_FAILED)) return DOWNLOAD + VERIFY;
  return ota_has(faults, OTA_FLASH_FAILED) ? DOWNLOAD + VERIFY + FLASH : 1;
}

static int64_t share(double total_us, double of) { return number_to_i64(number_round(total_us * of)); }

ota_phases ota_plan_phases(const ota_faults *faults, int64_t drawn_us, uint32_t block_bytes) {
  const double total_us = (double)drawn_us * (ota_has(faults, OTA_SLOW) ? faults->slow_factor : 1) / ends_at(faults);
  uint32_t blocks = (ARTIFACT_BYTES + block_bytes - 1) / block_bytes;
  blocks = blocks < 2 ? 2 : blocks > BLOCKS_MAX ? BLOCKS_MAX : blocks;
  ota_phases phases = {.download_us = share(total_us, DOWNLOAD), .verify_us = share(total_us, VERIFY), .flash_us = share(total_us, FLASH),
                       .down_us = share(total_us, DOWN), .self_test_us = share(total_us, SELF_TEST)};
  ota_plan_blocks(&phases, blocks);
  return phases;
}

void ota_plan_blocks(ota_phases *phases, uint32_t blocks) {
  phases->blocks = blocks;
  phases->block_us = phases->download_us / (blocks == 0 ? 1 : blocks);
}

void ota_hex(const uint8_t digest[32], char hex[65]) {
  for (int i = 0; i < 32; i += 1) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[64] = 0;
}

/* The version's hash, counted up block by block. */
void ota_artifact_sha256(const char *version, bool is_damaged, char hex[65]) {
  static const char PREFIX[] = "fleetrig firmware ";
  uint8_t seed[SEED_BYTES], digest[32];
  sha256_context image;
  sha256_begin(&image);
  sha256_add(&image, PREFIX, sizeof PREFIX - 1);
  sha256_add(&image, version, strlen(version));
  sha256_end(&image, seed);
  sha256_begin(&image);
  for (size_t offset = 0; offset < ARTIFACT_BYTES; offset += SEED_BYTES) {
    for (int i = 0; i < 4 && ++seed[i] == 0; i += 1) continue;
    uint8_t block[SEED_BYTES];
    memcpy(block, seed, sizeof block);
    if (is_damaged && offset == ARTIFACT_BYTES / 2) block[0] ^= 1;
    sha256_add(&image, block, sizeof block);
  }
  sha256_end(&image, digest);
  ota_hex(digest, hex);
}

/* An update's time table, as sim/models/ota-phases.ts has it, and the faults that change it. */
#ifndef FLEETRIG_OTA_PHASES_H
#define FLEETRIG_OTA_PHASES_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

typedef enum {
  OTA_OFFLINE, OTA_REJECTED, OTA_DOWNLOAD_STALL, OTA_DOWNLOAD_FAILED, OTA_VERIFY_FAILED, OTA_FLASH_FAILED, OTA_BOOT_LOOP, OTA_HANG,
  OTA_SILENT, OTA_SLOW, OTA_FAULTS
} ota_fault;

typedef struct {
  uint32_t active; /* one bit for each fault */
  double slow_factor;
  bool claims_success;
} ota_faults;

typedef struct {
  uint32_t blocks;
  int64_t download_us, block_us, verify_us, flash_us, down_us, self_test_us;
} ota_phases;

/* -1: no fault of this model. */
int ota_fault_of(const char *name);
void ota_fault_set(ota_faults *faults, ota_fault fault, bool is_active, json_value detail);
static inline bool ota_has(const ota_faults *faults, ota_fault fault) { return (faults->active >> fault & 1u) != 0; }
/* @param total_us A draw of the execution time. */
ota_phases ota_plan_phases(const ota_faults *faults, int64_t total_us, uint32_t block_bytes);
/* The same time for the download, over another number of blocks. */
void ota_plan_blocks(ota_phases *phases, uint32_t blocks);

/* SHA-256 of the image that a version stands for where nothing is downloaded; see sim/models/artifact.ts. */
void ota_artifact_sha256(const char *version, bool is_damaged, char hex[65]);
void ota_hex(const uint8_t digest[32], char hex[65]);

#endif

/* boot.h by ESP-IDF's own slots: a new image starts unconfirmed, and its boot loader goes back at the next start unless it was confirmed. */
#include "boot.h"

#include "hal.h"

#include "esp_app_desc.h"
#include "esp_ota_ops.h"
#include "sha256.h"

#include <string.h>

static struct {
  esp_ota_handle_t handle;
  const esp_partition_t *partition;
  bool is_open, has_failed;
  size_t size, written;
  sha256_context sha;
} update;

/* Of the slots the device logic reads only: 0 is the one that runs, 1 the other. */
static const esp_partition_t *slot_of(int slot) {
  return slot == hal_slot_running() ? esp_ota_get_running_partition() : esp_ota_get_next_update_partition(NULL);
}

int hal_slot_running(void) { return 0; }

size_t hal_slot_size(void) {
  const esp_partition_t *other = slot_of(1);
  return other == NULL ? 0 : other->size;
}

bool hal_slot_read(int slot, size_t offset, void *bytes, size_t length) {
  const esp_partition_t *partition = slot_of(slot);
  return partition != NULL && esp_partition_read(partition, offset, bytes, length) == ESP_OK;
}

const char *boot_version(void) { return esp_app_get_description()->version; }

void boot_build(char text[9]) { esp_app_get_elf_sha256(text, 9); }

bool boot_is_unconfirmed(void) {
  esp_ota_img_states_t state;
  return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK && state == ESP_OTA_IMG_PENDING_VERIFY;
}

const char *boot_rolled_back(void) {
  static esp_app_desc_t description;
  const esp_partition_t *invalid = esp_ota_get_last_invalid_partition();
  return invalid != NULL && esp_ota_get_partition_description(invalid, &description) == ESP_OK ? description.version : NULL;
}

bool boot_update_begin(size_t size) {
  boot_update_abort();
  update.partition = esp_ota_get_next_update_partition(NULL);
  /* Erased as it is written: a whole slot at once takes longer than the watchdog and the link wait. */
  update.is_open = update.partition != NULL && size <= update.partition->size &&
                   esp_ota_begin(update.partition, OTA_WITH_SEQUENTIAL_WRITES, &update.handle) == ESP_OK;
  update.has_failed = false;
  update.size = size;
  update.written = 0;
  sha256_begin(&update.sha);
  return update.is_open;
}

/* ESP-IDF cannot tell how far an interrupted download came: it begins anew. */
size_t boot_update_resume(size_t size, size_t step) {
  (void)size;
  (void)step;
  return 0;
}

bool boot_update_write(const void *bytes, size_t length) {
  if (!update.is_open || update.has_failed || length > update.size - update.written ||
      esp_ota_write(update.handle, bytes, length) != ESP_OK) {
    update.has_failed = true;
    return false;
  }
  sha256_add(&update.sha, bytes, length);
  update.written += length;
  return true;
}

boot_update_result boot_update_finish(const uint8_t *sha256) {
  uint8_t digest[32];
  if (!update.is_open || update.has_failed) {
    boot_update_abort();
    return BOOT_UPDATE_FLASH;
  }
  if (update.written != update.size) {
    boot_update_abort();
    return BOOT_UPDATE_SHORT;
  }
  sha256_end(&update.sha, digest);
  if (sha256 != NULL && memcmp(digest, sha256, sizeof digest) != 0) {
    boot_update_abort();
    return BOOT_UPDATE_HASH;
  }
  update.is_open = false;
  if (esp_ota_end(update.handle) != ESP_OK) {
    return BOOT_UPDATE_NOT_AN_IMAGE;
  }
  return esp_ota_set_boot_partition(update.partition) == ESP_OK ? BOOT_UPDATE_OK : BOOT_UPDATE_FLASH;
}

void boot_update_abort(void) {
  if (update.is_open) {
    esp_ota_abort(update.handle);
  }
  update.is_open = false;
}

void boot_confirm(void) { esp_ota_mark_app_valid_cancel_rollback(); }

void boot_roll_back(void) {
  esp_ota_mark_app_invalid_rollback_and_reboot(); /* returns when there is nothing to go back to */
  hal_restart();
}

void boot_forget(void) { esp_ota_erase_last_boot_app_partition(); }

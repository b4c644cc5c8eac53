/* A firmware image by AWS IoT's MQTT file delivery (JSON), straight into the other slot. Blocks are asked for a few at a time and written
 * in order; what is in the slot stays there over restarts, and the download goes on behind it. */
#ifndef FLEETRIG_OTA_DOWNLOAD_H
#define FLEETRIG_OTA_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *stream;
  int file; /* -1: the first one of the stream */
  uint32_t block_bytes;
  bool is_damaged; /* one bit flips on the way */
  bool is_resumed; /* a restart interrupted it: what is in the slot counts */
} ota_source;

typedef struct {
  void (*described)(uint32_t blocks); /* also when it was known before */
  void (*arrived)(void);              /* one more block is in the slot */
  void (*failed)(void);
} ota_download_handlers;

void ota_download_start(const ota_source *source, const ota_download_handlers *handlers);
/* The connection is there: asks, or asks again. */
void ota_download_connected(void);
void ota_download_paused(void);
void ota_download_stop(void);
/* How many blocks the device may have taken up; a few more than that are fetched. */
void ota_download_advance(uint32_t blocks_done);
uint32_t ota_download_blocks(void);
/* The stream has told its size. */
bool ota_download_is_described(void);
/* @returns whether the message was one of the stream's. */
bool ota_download_message(const char *topic, const uint8_t *payload, size_t length);
/* Of the image in the other slot. */
void ota_download_sha256(char hex[65]);

#endif

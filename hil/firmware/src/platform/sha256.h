/* SHA-256 (FIPS 180-4), for whole images in pieces. */
#ifndef FLEETRIG_SHA256_H
#define FLEETRIG_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
} sha256_context;

void sha256_begin(sha256_context *context);
void sha256_add(sha256_context *context, const void *bytes, size_t length);
void sha256_end(sha256_context *context, uint8_t digest[32]);

#endif

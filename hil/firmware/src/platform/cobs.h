/* Consistent overhead byte stuffing: bytes without zeros, one byte longer per 254 begun. */
#ifndef FLEETRIG_COBS_H
#define FLEETRIG_COBS_H

#include <stddef.h>
#include <stdint.h>

/* Longest encoding of `length` bytes. */
#define COBS_MAX(length) ((length) + (length) / 254 + 1)

/* `out` has room for COBS_MAX(length) bytes; returns how many were written. */
size_t cobs_encode(const uint8_t *bytes, size_t length, uint8_t *out);
/* `out` may be `bytes`: the result never overtakes what is read. Returns the length, or (size_t)-1 if this is no encoding. */
size_t cobs_decode(const uint8_t *bytes, size_t length, uint8_t *out);

#endif

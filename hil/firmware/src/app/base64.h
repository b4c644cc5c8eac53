/* Base64 (RFC 4648, the standard alphabet), as JSON strings carry it: an escaped solidus is read, too. */
#ifndef FLEETRIG_BASE64_H
#define FLEETRIG_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Returns how many bytes it was; -1: not Base64, or more than fits. */
int base64_decode(const char *text, size_t length, uint8_t *bytes, size_t capacity);

#endif

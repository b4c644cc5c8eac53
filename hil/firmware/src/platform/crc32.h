/* CRC-32/IEEE as in zlib: reflected, polynomial edb88320; the check value of "123456789" is cbf43926. */
#ifndef FLEETRIG_CRC32_H
#define FLEETRIG_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, the result for what came before; 0 to begin. */
uint32_t crc32(uint32_t crc, const void *bytes, size_t length);

#endif

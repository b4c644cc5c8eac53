#include "sha256.h"

#include <string.h>

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned by) { return (value >> by) | (value << (32 - by)); }

static void add_block(uint32_t state[8], const uint8_t *block) {
  uint32_t w[64];
  for (unsigned n = 0; n < 16; n++) {
    w[n] = (uint32_t)block[4 * n] << 24 | (uint32_t)block[4 * n + 1] << 16 | (uint32_t)block[4 * n + 2] << 8 |
           (uint32_t)block[4 * n + 3];
  }
  for (unsigned n = 16; n < 64; n++) {
    uint32_t s0 = rotate(w[n - 15], 7) ^ rotate(w[n - 15], 18) ^ (w[n - 15] >> 3);
    uint32_t s1 = rotate(w[n - 2], 17) ^ rotate(w[n - 2], 19) ^ (w[n - 2] >> 10);
    w[n] = w[n - 16] + s0 + w[n - 7] + s1;
  }
  uint32_t v[8];
  memcpy(v, state, sizeof v);
  for (unsigned n = 0; n < 64; n++) {
    uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
    uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + ROUND[n] + w[n];
    uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
    uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof v[0]);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (unsigned n = 0; n < 8; n++) {
    state[n] += v[n];
  }
}

void sha256_begin(sha256_context *context) {
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(context->state, initial, sizeof initial);
  context->length = 0;
}

void sha256_add(sha256_context *context, const void *bytes, size_t length) {
  const uint8_t *from = bytes;
  while (length > 0) {
    size_t filled = (size_t)(context->length % 64);
    size_t piece = length < 64 - filled ? length : 64 - filled;
    memcpy(context->block + filled, from, piece);
    context->length += piece;
    from += piece;
    length -= piece;
    if (filled + piece == 64) {
      add_block(context->state, context->block);
    }
  }
}

void sha256_end(sha256_context *context, uint8_t digest[32]) {
  uint64_t bits = context->length * 8;
  static const uint8_t padding[64] = {0x80};
  size_t filled = (size_t)(context->length % 64);
  sha256_add(context, padding, filled < 56 ? 56 - filled : 120 - filled);
  uint8_t length[8];
  for (unsigned n = 0; n < 8; n++) {
    length[n] = (uint8_t)(bits >> (56 - 8 * n));
  }
  sha256_add(context, length, 8);
  for (unsigned n = 0; n < 32; n++) {
    digest[n] = (uint8_t)(context->state[n / 4] >> (24 - 8 * (n % 4)));
  }
}

#include "prng.h"

#include "number.h"

/* SplitMix64: any state is a good one, which suits streams begun by a hash. */
static uint64_t next(prng *stream) {
  uint64_t z = stream->state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

prng prng_stream(uint64_t seed, const char *purpose) {
  uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
  for (; *purpose != 0; purpose += 1) hash = (hash ^ (uint8_t)*purpose) * 0x100000001b3ull;
  prng stream = {seed ^ hash};
  stream.state = next(&stream);
  return stream;
}

double prng_fraction(prng *stream) { return (double)(next(stream) >> 11) / 9007199254740992.0; }

double prng_between(prng *stream, double least, double most) { return least + (most - least) * prng_fraction(stream); }

double prng_normal(prng *stream) {
  const double p = prng_fraction(stream);
  return number_inverse_normal(p < 1e-12 ? 1e-12 : p);
}

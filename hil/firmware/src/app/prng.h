/* Random streams by purpose, all from the member's seed: one purpose's draws do not move another's. */
#ifndef FLEETRIG_PRNG_H
#define FLEETRIG_PRNG_H

#include <stdint.h>

typedef struct {
  uint64_t state;
} prng;

prng prng_stream(uint64_t seed, const char *purpose);
double prng_fraction(prng *stream); /* [0, 1) */
double prng_between(prng *stream, double least, double most);
double prng_normal(prng *stream); /* mean 0, standard deviation 1 */

#endif

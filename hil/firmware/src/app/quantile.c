#include "quantile.h"

#include "number.h"

/* Where the tails of the normal family are cut, so that no draw is infinite. */
static const double SMALLEST = 1e-9;

static const struct {
  const char *name, *a, *b;
} KINDS[] = {
    [DIST_CONSTANT] = {"constant", "value", "value"},     [DIST_UNIFORM] = {"uniform", "min", "max"},
    [DIST_NORMAL] = {"normal", "mean", "stddev"},         [DIST_LOGNORMAL] = {"lognormal", "median", "p99"},
    [DIST_EXPONENTIAL] = {"exponential", "mean", "mean"}, [DIST_EMPIRICAL] = {"empirical", "", ""},
};

distribution distribution_of(json_value value, distribution otherwise) {
  const json_value name = json_member(value, "dist");
  for (int kind = DIST_CONSTANT; kind <= DIST_EMPIRICAL; kind += 1) {
    if (!json_text_is(name, KINDS[kind].name)) continue;
    return (distribution){(distribution_kind)kind, json_number_or(json_member(value, KINDS[kind].a), 0),
                          json_number_or(json_member(value, KINDS[kind].b), 0), json_member(value, "samples")};
  }
  return otherwise;
}

static double sample_at(json_value samples, double p) {
  json_value name, each;
  int64_t count = 0;
  json_walk walk = json_walk_of(samples);
  while (json_next(&walk, &name, &each)) count += 1;
  const int64_t wanted = (int64_t)(p * (double)count);
  walk = json_walk_of(samples);
  for (int64_t i = 0; json_next(&walk, &name, &each); i += 1) {
    if (i == wanted) return json_number_or(each, 0);
  }
  return 0;
}

static double quantile(const distribution *of, double p) {
  const double z = p < SMALLEST ? SMALLEST : p;
  switch (of->kind) {
    case DIST_CONSTANT: return of->a;
    case DIST_UNIFORM: return of->a + p * (of->b - of->a);
    case DIST_NORMAL: return of->a + of->b * number_inverse_normal(z);
    case DIST_LOGNORMAL: {
      const double sigma = number_ln(of->b / of->a) / number_inverse_normal(0.99);
      return of->a * number_exp(sigma * number_inverse_normal(z));
    }
    case DIST_EXPONENTIAL: return -of->a * number_ln(1 - p);
    case DIST_EMPIRICAL: return sample_at(of->samples, p);
  }
  return 0;
}

int64_t quantile_us(const distribution *of, double p) {
  const int64_t us = number_to_i64(number_round(quantile(of, p)));
  return us < 0 ? 0 : us;
}

/* Arithmetic without a mathematics library: what signals and distributions need, good to about twelve digits. */
#ifndef FLEETRIG_NUMBER_H
#define FLEETRIG_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double number_floor(double value);
/* Halves go up, as Math.round of the device models. */
double number_round(double value);
double number_power_of_ten(int exponent);
double number_sine(double radians);
double number_ln(double value); /* of values > 0 */
double number_exp(double value);
/* Of the standard normal distribution at probability `p` in (0, 1). */
double number_inverse_normal(double p);

/* JSON's grammar of numbers; false for anything else. */
bool number_parse(const char *text, size_t length, double *value);
/* Shortest decimal text with at most `decimals` (0 to 9) digits after the point; returns its length, 0 when it does not fit. */
size_t number_format(double value, int decimals, char *text, size_t capacity);
size_t number_format_integer(int64_t value, char *text, size_t capacity);
/* Base 36 in lower case, for trace tags. */
size_t number_format_base36(uint32_t value, char *text, size_t capacity);
/* Clamps, so that no conversion is undefined. */
int64_t number_to_i64(double value);

#endif

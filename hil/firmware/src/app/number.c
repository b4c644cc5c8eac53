#include "number.h"

#include <string.h>

static const double PI = 3.14159265358979323846;
static const double LN2 = 0.69314718055994530942;
/* From here on a double has no fraction. */
static const double WHOLE = 4503599627370496.0;
static const double I64_LIMIT = 9223372036854774784.0;

int64_t number_to_i64(double value) {
  if (!(value > -I64_LIMIT)) return value != value ? 0 : INT64_MIN;
  return value >= I64_LIMIT ? INT64_MAX : (int64_t)value;
}

double number_floor(double value) {
  if (value != value || value >= WHOLE || value <= -WHOLE) return value;
  const double whole = (double)(int64_t)value;
  return whole > value ? whole - 1 : whole;
}

double number_round(double value) { return number_floor(value + 0.5); }

double number_power_of_ten(int exponent) {
  double result = 1, factor = 10;
  for (unsigned n = (unsigned)(exponent < 0 ? -exponent : exponent); n != 0; n >>= 1, factor *= factor) {
    if (n & 1u) result *= factor;
  }
  return exponent < 0 ? 1 / result : result;
}

double number_sine(double radians) {
  double x = radians - 2 * PI * number_floor(radians / (2 * PI) + 0.5);
  if (x > PI / 2) x = PI - x;
  if (x < -PI / 2) x = -PI - x;
  double term = x, sum = x;
  for (int n = 1; n <= 10; n += 1) {
    term *= -x * x / (double)(2 * n * (2 * n + 1));
    sum += term;
  }
  return sum;
}

/* value = mantissa 2^exponent, with a mantissa in [1, 2); subnormals count as 0. */
static double split(double value, int *exponent) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  *exponent = (int)((bits >> 52) & 0x7ff) - 1023;
  bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double number_ln(double value) {
  if (!(value > 0)) return -744;
  int exponent;
  double mantissa = split(value, &exponent);
  if (mantissa > 1.41421356237309515) {
    mantissa /= 2;
    exponent += 1;
  }
  const double ratio = (mantissa - 1) / (mantissa + 1), square = ratio * ratio;
  double power = ratio, sum = 0;
  for (int n = 1; n < 26; n += 2) {
    sum += power / n;
    power *= square;
  }
  return 2 * sum + exponent * LN2;
}

double number_exp(double value) {
  if (value != value || value > 709) return value > 709 ? 8e307 : value;
  if (value < -708) return 0;
  const double doublings = number_floor(value / LN2 + 0.5), rest = value - doublings * LN2;
  double term = 1, sum = 1;
  for (int n = 1; n < 16; n += 1) {
    term *= rest / n;
    sum += term;
  }
  const uint64_t bits = (uint64_t)((int)doublings + 1023) << 52;
  double scale;
  memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

/* Rational approximations by P. J. Acklam: relative error below 1.15e-9. */
static double tail(double q) {
  static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
  return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
}

static double square_root(double value) {
  if (!(value > 0)) return 0;
  double root = number_exp(number_ln(value) / 2);
  return (root + value / root) / 2;
}

double number_inverse_normal(double p) {
  static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                             -1.328068155288572e+01};
  static const double LOW = 0.02425;
  if (p < LOW) return tail(square_root(-2 * number_ln(p)));
  if (p > 1 - LOW) return -tail(square_root(-2 * number_ln(1 - p)));
  const double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool number_parse(const char *text, size_t length, double *value) {
  size_t at = 0;
  const bool is_negative = at < length && text[at] == '-';
  at += is_negative;
  if (at >= length || !is_digit(text[at])) return false;
  if (text[at] == '0' && at + 1 < length && is_digit(text[at + 1])) return false;
  uint64_t mantissa = 0;
  int scale = 0;
  for (; at < length && is_digit(text[at]); at += 1) {
    if (mantissa < 100000000000000000ull) mantissa = mantissa * 10 + (uint64_t)(text[at] - '0');
    else scale += scale < 10000;
  }
  if (at < length && text[at] == '.') {
    at += 1;
    if (at >= length || !is_digit(text[at])) return false;
    for (; at < length && is_digit(text[at]); at += 1) {
      if (mantissa >= 100000000000000000ull) continue;
      mantissa = mantissa * 10 + (uint64_t)(text[at] - '0');
      scale -= 1;
    }
  }
  if (at < length && (text[at] == 'e' || text[at] == 'E')) {
    at += 1;
    const bool is_small = at < length && text[at] == '-';
    at += at < length && (text[at] == '-' || text[at] == '+');
    if (at >= length || !is_digit(text[at])) return false;
    int exponent = 0;
    for (; at < length && is_digit(text[at]); at += 1) {
      if (exponent < 10000) exponent = exponent * 10 + (text[at] - '0');
    }
    scale += is_small ? -exponent : exponent;
  }
  if (at != length) return false;
  double result = (double)mantissa;
  if (mantissa != 0 && scale > 0) result = scale > 300 ? 1e308 : result * number_power_of_ten(scale);
  /* In two steps, since 10^n itself must stay finite. */
  if (scale < 0) result = scale < -600 ? 0 : scale < -300 ? result / 1e300 / number_power_of_ten(-300 - scale) : result / number_power_of_ten(-scale);
  if (result > 1e308) result = 1e308;
  *value = is_negative ? -result : result;
  return true;
}

static size_t format_unsigned(uint64_t value, unsigned base, char *text, size_t capacity) {
  char reversed[24];
  size_t length = 0;
  do {
    reversed[length++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base];
    value /= base;
  } while (value != 0);
  if (length >= capacity) return 0;
  for (size_t i = 0; i < length; i += 1) text[i] = reversed[length - 1 - i];
  text[length] = 0;
  return length;
}

size_t number_format_base36(uint32_t value, char *text, size_t capacity) { return format_unsigned(value, 36, text, capacity); }

size_t number_format_integer(int64_t value, char *text, size_t capacity) {
  if (value >= 0) return format_unsigned((uint64_t)value, 10, text, capacity);
  if (capacity < 3) return 0;
  text[0] = '-';
  const size_t length = format_unsigned(0 - (uint64_t)value, 10, text + 1, capacity - 1);
  return length == 0 ? 0 : length + 1;
}

size_t number_format(double value, int decimals, char *text, size_t capacity) {
  if (decimals < 0) decimals = 0;
  if (decimals > 9) decimals = 9;
  const double scale = number_power_of_ten(decimals);
  int64_t scaled = number_to_i64(number_round(value * scale));
  const bool is_negative = scaled < 0;
  uint64_t rest = is_negative ? 0 - (uint64_t)scaled : (uint64_t)scaled;
  while (decimals > 0 && rest % 10 == 0) {
    rest /= 10;
    decimals -= 1;
  }
  char digits[24];
  const size_t count = format_unsigned(rest, 10, digits, sizeof digits);
  const size_t fraction = (size_t)decimals, lead = count > fraction ? count - fraction : 1;
  const size_t length = is_negative + lead + (fraction > 0) + fraction;
  if (length >= capacity) return 0;
  char *out = text;
  if (is_negative) *out++ = '-';
  if (count > fraction) memcpy(out, digits, lead);
  else *out = '0';
  out += lead;
  if (fraction > 0) {
    *out++ = '.';
    const size_t present = count > fraction ? fraction : count;
    memset(out, '0', fraction - present);
    memcpy(out + fraction - present, digits + count - present, present);
    out += fraction;
  }
  *out = 0;
  return length;
}

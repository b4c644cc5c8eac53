#include "stdio.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  char *text;
  size_t capacity, length; /* length may pass the capacity: what would have been written */
} output;

typedef struct {
  bool is_left, is_zero;
  size_t width, precision;
  char size; /* l, L for ll, z, or 0 */
} conversion;

static void put(output *out, char character, size_t times) {
  while (times-- > 0) {
    if (out->length + 1 < out->capacity) {
      out->text[out->length] = character;
    }
    out->length++;
  }
}

static void put_padded(output *out, const conversion *as, const char *text, size_t length) {
  size_t padding = as->width > length ? as->width - length : 0;
  bool is_signed_zero = as->is_zero && length > 0 && text[0] == '-';
  if (is_signed_zero) {
    put(out, *text++, 1);
    length--;
  }
  put(out, as->is_zero ? '0' : ' ', as->is_left ? 0 : padding);
  for (size_t n = 0; n < length; n++) {
    put(out, text[n], 1);
  }
  put(out, ' ', as->is_left ? padding : 0);
}

static void put_number(output *out, const conversion *as, uint64_t value, unsigned base, bool is_negative, bool is_upper) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    unsigned digit = (unsigned)(value % base);
    digits[--at] = (char)(digit < 10 ? '0' + digit : (is_upper ? 'A' : 'a') + digit - 10);
    value /= base;
  } while (value > 0);
  if (is_negative) {
    digits[--at] = '-';
  }
  put_padded(out, as, digits + at, sizeof digits - at);
}

static size_t read_number(const char **format, va_list *values) {
  if (**format == '*') {
    (*format)++;
    int value = va_arg(*values, int);
    return value > 0 ? (size_t)value : 0;
  }
  size_t value = 0;
  while (**format >= '0' && **format <= '9') {
    value = value * 10 + (size_t)(*(*format)++ - '0');
  }
  return value;
}

static conversion read_conversion(const char **format, va_list *values) {
  conversion as = {.precision = SIZE_MAX};
  for (; **format == '-' || **format == '0'; (*format)++) {
    as.is_left = as.is_left || **format == '-';
    as.is_zero = as.is_zero || **format == '0';
  }
  as.width = read_number(format, values);
  if (**format == '.') {
    (*format)++;
    as.precision = read_number(format, values);
  }
  for (; **format == 'l' || **format == 'z' || **format == 'h'; (*format)++) {
    as.size = **format == 'l' && as.size == 'l' ? 'L' : **format;
  }
  return as;
}

static uint64_t take_unsigned(const conversion *as, va_list *values) {
  return as->size == 'L' ? va_arg(*values, unsigned long long) : va_arg(*values, unsigned long);
}

static int64_t take_signed(const conversion *as, va_list *values) {
  return as->size == 'L' ? va_arg(*values, long long) : va_arg(*values, long);
}

static void convert(output *out, char kind, const conversion *as, va_list *values) {
  if (kind == 'd' || kind == 'i') {
    int64_t value = take_signed(as, values);
    put_number(out, as, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0, false);
  } else if (kind == 'u' || kind == 'x' || kind == 'X' || kind == 'p') {
    put_number(out, as, take_unsigned(as, values), kind == 'u' ? 10 : 16, false, kind == 'X');
  } else if (kind == 'c') {
    char character = (char)va_arg(*values, int);
    put_padded(out, as, &character, 1);
  } else if (kind == 's') {
    const char *text = va_arg(*values, const char *);
    text = text != NULL ? text : "(null)";
    put_padded(out, as, text, strnlen(text, as->precision));
  } else {
    put(out, kind, 1);
  }
}

/* On this machine int, long, size_t and pointers are all 32 bits wide, so their lengths need not be told apart. */
_Static_assert(sizeof(int) == sizeof(long) && sizeof(size_t) == sizeof(long), "ilp32");

int vsnprintf(char *text, size_t capacity, const char *format, va_list values) {
  output out = {.text = text, .capacity = capacity};
  va_list rest;
  va_copy(rest, values);
  while (*format != 0) {
    if (*format != '%') {
      put(&out, *format++, 1);
      continue;
    }
    format++;
    conversion as = read_conversion(&format, &rest);
    if (*format == 0) {
      break;
    }
    convert(&out, *format++, &as, &rest);
  }
  va_end(rest);
  if (capacity > 0) {
    text[out.length < capacity ? out.length : capacity - 1] = 0;
  }
  return (int)out.length;
}

int snprintf(char *text, size_t capacity, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int length = vsnprintf(text, capacity, format, values);
  va_end(values);
  return length;
}

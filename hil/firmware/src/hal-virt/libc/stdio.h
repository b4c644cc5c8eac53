/* Formatting without floating point: %d %i %u %x %X %c %s %p %% with the flags - and 0, width, precision of %s and the lengths l, ll, z. */
#ifndef FLEETRIG_LIBC_STDIO_H
#define FLEETRIG_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

int snprintf(char *text, size_t capacity, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *text, size_t capacity, const char *format, va_list values);

#endif

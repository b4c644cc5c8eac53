#include "string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  uint8_t *out = to;
  const uint8_t *in = from;
  if ((((uintptr_t)out | (uintptr_t)in) & 3) == 0) {
    for (; length >= 4; length -= 4, out += 4, in += 4) {
      *(uint32_t *)(void *)out = *(const uint32_t *)(const void *)in;
    }
  }
  while (length-- > 0) {
    *out++ = *in++;
  }
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  uint8_t *out = to;
  const uint8_t *in = from;
  if (out < in) {
    for (size_t n = 0; n < length; n++) {
      out[n] = in[n];
    }
  } else {
    for (size_t n = length; n > 0; n--) {
      out[n - 1] = in[n - 1];
    }
  }
  return to;
}

void *memset(void *to, int byte, size_t length) {
  uint8_t *out = to;
  while (length-- > 0) {
    *out++ = (uint8_t)byte;
  }
  return to;
}

int memcmp(const void *left, const void *right, size_t length) {
  const uint8_t *a = left, *b = right;
  for (; length > 0; length--, a++, b++) {
    if (*a != *b) {
      return *a - *b;
    }
  }
  return 0;
}

void *memchr(const void *bytes, int byte, size_t length) {
  const uint8_t *in = bytes;
  for (; length > 0; length--, in++) {
    if (*in == (uint8_t)byte) {
      return (void *)(uintptr_t)in;
    }
  }
  return NULL;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) {
    length++;
  }
  return length;
}

size_t strnlen(const char *text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length] != 0) {
    length++;
  }
  return length;
}

int strncmp(const char *left, const char *right, size_t length) {
  for (; length > 0; length--, left++, right++) {
    if (*left != *right || *left == 0) {
      return (uint8_t)*left - (uint8_t)*right;
    }
  }
  return 0;
}

int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }

char *strcpy(char *restrict to, const char *restrict from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t length) {
  size_t used = strnlen(from, length);
  memcpy(to, from, used);
  memset(to + used, 0, length - used);
  return to;
}

char *strchr(const char *text, int character) { return memchr(text, character, strlen(text) + 1); }

char *strrchr(const char *text, int character) {
  for (size_t n = strlen(text) + 1; n > 0; n--) {
    if (text[n - 1] == (char)character) {
      return (char *)(uintptr_t)(text + n - 1);
    }
  }
  return NULL;
}

char *strstr(const char *text, const char *wanted) {
  size_t length = strlen(wanted);
  for (; *text != 0 || length == 0; text++) {
    if (strncmp(text, wanted, length) == 0) {
      return (char *)(uintptr_t)text;
    }
  }
  return NULL;
}

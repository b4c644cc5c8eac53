#include <string.h>

#include "json.h"
#include "number.h"

static void put(json_writer *writer, const char *bytes, size_t length) {
  /* One byte stays free for the zero at the end. */
  if (writer->is_truncated || length >= writer->capacity - writer->length) {
    writer->is_truncated = true;
    return;
  }
  memcpy(writer->text + writer->length, bytes, length);
  writer->length += length;
}

static void put_separator(json_writer *writer) {
  if (writer->needs_comma) put(writer, ",", 1);
  writer->needs_comma = true;
}

json_writer json_writer_on(char *text, size_t capacity) {
  return (json_writer){.text = text, .capacity = capacity, .is_truncated = capacity == 0};
}

void json_begin(json_writer *writer, char bracket) {
  put_separator(writer);
  put(writer, &bracket, 1);
  writer->needs_comma = false;
}

void json_end(json_writer *writer, char bracket) {
  put(writer, &bracket, 1);
  writer->needs_comma = true;
}

static void put_quoted(json_writer *writer, const char *text, size_t length) {
  put(writer, "\"", 1);
  for (size_t i = 0; i < length; i += 1) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      const char escaped[] = {'\\', (char)c};
      put(writer, escaped, 2);
    } else if (c < 0x20 || c == 0x7f) {
      const char escaped[] = {'\\', 'u', '0', '0', "01234567"[c >> 4], "0123456789abcdef"[c & 15]};
      put(writer, escaped, 6);
    } else {
      put(writer, (const char *)&text[i], 1);
    }
  }
  put(writer, "\"", 1);
}

void json_name(json_writer *writer, const char *name) {
  put_separator(writer);
  put_quoted(writer, name, strlen(name));
  put(writer, ":", 1);
  writer->needs_comma = false;
}

void json_put_text_of(json_writer *writer, const char *text, size_t length) {
  put_separator(writer);
  put_quoted(writer, text, length);
}

void json_put_text(json_writer *writer, const char *text) { json_put_text_of(writer, text, strlen(text)); }

void json_put_integer(json_writer *writer, int64_t number) {
  char text[24];
  const size_t length = number_format_integer(number, text, sizeof text);
  json_put_raw(writer, text, length);
}

void json_put_number(json_writer *writer, double number, int decimals) {
  char text[32];
  const size_t length = number_format(number, decimals, text, sizeof text);
  json_put_raw(writer, text, length);
}

void json_put_bool(json_writer *writer, bool value) { json_put_raw(writer, value ? "true" : "false", value ? 4 : 5); }

void json_put_raw(json_writer *writer, const char *text, size_t length) {
  put_separator(writer);
  put(writer, text, length);
}

int json_finish(json_writer *writer) {
  if (writer->is_truncated) return -1;
  writer->text[writer->length] = 0;
  return (int)writer->length;
}

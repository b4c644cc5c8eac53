#include "json.h"

#include <string.h>

#include "number.h"

typedef struct {
  const char *at, *end;
} cursor;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_spaces(cursor *in) {
  while (in->at < in->end && is_space(*in->at)) in->at += 1;
}

static bool take(cursor *in, char wanted) {
  if (in->at >= in->end || *in->at != wanted) return false;
  in->at += 1;
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool check_escape(cursor *in) {
  if (in->at >= in->end) return false;
  const char c = *in->at++;
  if (c != 'u') return c != 0 && strchr("\"\\/bfnrt", c) != NULL;
  for (int i = 0; i < 4; i += 1) {
    if (in->at >= in->end || hex_digit(*in->at++) < 0) return false;
  }
  return true;
}

static bool check_string(cursor *in) {
  if (!take(in, '"')) return false;
  while (in->at < in->end) {
    const unsigned char c = (unsigned char)*in->at++;
    if (c == '"') return true;
    if (c < 0x20 || (c == '\\' && !check_escape(in))) return false;
  }
  return false;
}

static bool check_literal(cursor *in, const char *literal) {
  const size_t length = strlen(literal);
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, literal, length) != 0) return false;
  in->at += length;
  return true;
}

static bool is_of_number(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

static bool check_number(cursor *in) {
  const char *start = in->at;
  while (in->at < in->end && is_of_number(*in->at)) in->at += 1;
  double ignored;
  return number_parse(start, (size_t)(in->at - start), &ignored);
}

static bool check_scalar(cursor *in) {
  switch (in->at < in->end ? *in->at : 0) {
    case '"': return check_string(in);
    case 't': return check_literal(in, "true");
    case 'f': return check_literal(in, "false");
    case 'n': return check_literal(in, "null");
    default: return check_number(in);
  }
}

static bool check_name(cursor *in) {
  skip_spaces(in);
  if (!check_string(in)) return false;
  skip_spaces(in);
  if (!take(in, ':')) return false;
  skip_spaces(in);
  return true;
}

/* Without recursion: one bit per level says whether it is an object. */
static bool check_value(cursor *in) {
  uint32_t objects = 0;
  int depth = 0;
  for (;;) {
    if (in->at < in->end && (*in->at == '{' || *in->at == '[')) {
      const bool is_object = *in->at++ == '{';
      if (depth == JSON_DEPTH_MAX) return false;
      skip_spaces(in);
      if (!take(in, is_object ? '}' : ']')) {
        objects = is_object ? objects | (1u << depth) : objects & ~(1u << depth);
        depth += 1;
        if (is_object && !check_name(in)) return false;
        continue;
      }
    } else if (!check_scalar(in)) {
      return false;
    }
    for (;;) {
      if (depth == 0) return true;
      const bool is_object = (objects >> (depth - 1)) & 1u;
      skip_spaces(in);
      if (take(in, ',')) {
        skip_spaces(in);
        if (is_object && !check_name(in)) return false;
        break;
      }
      if (!take(in, is_object ? '}' : ']')) return false;
      depth -= 1;
    }
  }
}

bool json_parse(const char *text, size_t length, json_value *value) {
  cursor in = {text, text + length};
  *value = (json_value){NULL, 0};
  skip_spaces(&in);
  const char *start = in.at;
  if (!check_value(&in)) return false;
  const char *end = in.at;
  skip_spaces(&in);
  if (in.at != in.end) return false;
  *value = (json_value){start, (size_t)(end - start)};
  return true;
}

static bool begins_with(json_value value, char c) { return value.text != NULL && value.text[0] == c; }
bool json_is_object(json_value value) { return begins_with(value, '{'); }
bool json_is_array(json_value value) { return begins_with(value, '['); }
bool json_is_string(json_value value) { return begins_with(value, '"'); }
bool json_is_true(json_value value) { return begins_with(value, 't'); }
bool json_is_null(json_value value) { return begins_with(value, 'n'); }

/* From here on the text was checked: skipping needs to look at strings and brackets only. */
static const char *skip_string(const char *at) {
  for (at += 1; *at != '"'; at += 1) at += *at == '\\';
  return at + 1;
}

static json_value value_at(const char *at) {
  const char *start = at;
  int depth = 0;
  do {
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    if (*at == '{' || *at == '[') depth += 1;
    if (*at == '}' || *at == ']') depth -= 1;
    at += 1;
  } while (depth > 0);
  return (json_value){start, (size_t)(at - start)};
}

static json_value scalar_or_container_at(const char *at, const char *end) {
  if (*at == '"' || *at == '{' || *at == '[') return value_at(at);
  const char *start = at;
  while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at)) at += 1;
  return (json_value){start, (size_t)(at - start)};
}

json_walk json_walk_of(json_value container) {
  if (!json_is_object(container) && !json_is_array(container)) return (json_walk){NULL, NULL, false};
  return (json_walk){container.text + 1, container.text + container.length - 1, container.text[0] == '{'};
}

static void skip_to_next(json_walk *walk) {
  while (walk->at < walk->end && (is_space(*walk->at) || *walk->at == ',' || *walk->at == ':')) walk->at += 1;
}

bool json_next(json_walk *walk, json_value *name, json_value *value) {
  if (walk->at == NULL) return false;
  skip_to_next(walk);
  if (walk->at >= walk->end) return false;
  *name = (json_value){NULL, 0};
  if (walk->is_object) {
    *name = value_at(walk->at);
    walk->at = name->text + name->length;
    skip_to_next(walk);
  }
  *value = scalar_or_container_at(walk->at, walk->end);
  walk->at = value->text + value->length;
  return true;
}

json_value json_member(json_value object, const char *name) {
  json_value found = {NULL, 0}, each_name, each;
  if (!json_is_object(object)) return found;
  json_walk walk = json_walk_of(object);
  while (json_next(&walk, &each_name, &each)) {
    if (json_text_is(each_name, name)) found = each;
  }
  return found;
}

bool json_number(json_value value, double *number) { return value.text != NULL && number_parse(value.text, value.length, number); }

double json_number_or(json_value value, double otherwise) {
  double number;
  return json_number(value, &number) ? number : otherwise;
}

int64_t json_integer_or(json_value value, int64_t otherwise) {
  double number;
  return json_number(value, &number) ? number_to_i64(number) : otherwise;
}

static unsigned hex4(const char *at) {
  unsigned code = 0;
  for (int i = 0; i < 4; i += 1) code = code << 4 | (unsigned)hex_digit(at[i]);
  return code;
}

static size_t utf8_of(uint32_t code, char out[4]) {
  if (code < 0x80) return out[0] = (char)code, 1;
  if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
  if (code < 0x10000) {
    out[0] = (char)(0xe0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 63)), out[2] = (char)(0x80 | (code & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | code >> 18), out[1] = (char)(0x80 | (code >> 12 & 63));
  out[2] = (char)(0x80 | (code >> 6 & 63)), out[3] = (char)(0x80 | (code & 63));
  return 4;
}

/* One character of a string's inside, decoded into at most four bytes. Lone surrogates become U+FFFD, as in other decoders. */
static size_t next_character(const char **at, const char *end, char out[4]) {
  if (**at != '\\') return out[0] = *(*at)++, 1;
  const char kind = (*at)[1];
  *at += 2;
  if (kind != 'u') {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *found = strchr(from, kind);
    out[0] = found == NULL ? kind : to[found - from];
    return 1;
  }
  uint32_t code = hex4(*at);
  *at += 4;
  if (code >= 0xd800 && code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
    const unsigned low = hex4(*at + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      *at += 6;
      return utf8_of(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
    }
  }
  return utf8_of(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out);
}

int json_text(json_value value, char *text, size_t capacity) {
  if (!json_is_string(value) || capacity == 0) return -1;
  const char *at = value.text + 1, *end = value.text + value.length - 1;
  size_t length = 0;
  while (at < end) {
    char bytes[4];
    const size_t count = next_character(&at, end, bytes);
    if (bytes[0] == 0 || length + count >= capacity) return -1;
    memcpy(text + length, bytes, count);
    length += count;
  }
  text[length] = 0;
  return (int)length;
}

bool json_text_is(json_value value, const char *text) {
  if (!json_is_string(value)) return false;
  const char *at = value.text + 1, *end = value.text + value.length - 1;
  while (at < end) {
    char bytes[4];
    const size_t count = next_character(&at, end, bytes);
    for (size_t i = 0; i < count; i += 1, text += 1) {
      if (*text == 0 || *text != bytes[i]) return false;
    }
  }
  return *text == 0;
}

bool json_same_text(json_value one, json_value other) {
  if (!json_is_string(one) || !json_is_string(other)) return false;
  const char *a = one.text + 1, *a_end = one.text + one.length - 1;
  const char *b = other.text + 1, *b_end = other.text + other.length - 1;
  while (a < a_end && b < b_end) {
    char of_a[4], of_b[4];
    const bool is_escaped = *a == '\\' || *b == '\\';
    const char *raw_a = a, *raw_b = b;
    size_t count_a = next_character(&a, a_end, of_a), count_b = next_character(&b, b_end, of_b);
    /* An escape stands for a whole character, raw text comes byte by byte. */
    while (is_escaped && count_a < count_b && a < a_end && *raw_a != '\\') of_a[count_a++] = *a++;
    while (is_escaped && count_b < count_a && b < b_end && *raw_b != '\\') of_b[count_b++] = *b++;
    if (count_a != count_b || memcmp(of_a, of_b, count_a) != 0) return false;
  }
  return a == a_end && b == b_end;
}

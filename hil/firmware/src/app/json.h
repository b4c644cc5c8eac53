/* JSON in place: a text is checked once, as a whole, and then walked without copying it. A *value* is a piece of that text;
 * an absent one has no text, and everything said of it is false, so look-ups can be chained. */
#ifndef FLEETRIG_JSON_H
#define FLEETRIG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32

typedef struct {
  const char *text;
  size_t length;
} json_value;

/* false: not one JSON value, or nested deeper than JSON_DEPTH_MAX. */
bool json_parse(const char *text, size_t length, json_value *value);

static inline bool json_is_present(json_value value) { return value.text != NULL; }
bool json_is_object(json_value value);
bool json_is_array(json_value value);
bool json_is_string(json_value value);
bool json_is_true(json_value value);
bool json_is_null(json_value value);

/* Of an object; the last of several members with that name, as JSON.parse has it. */
json_value json_member(json_value object, const char *name);
/* Members of an object or elements of an array (their `name` is absent) in order. */
typedef struct {
  const char *at, *end;
  bool is_object;
} json_walk;
json_walk json_walk_of(json_value container);
bool json_next(json_walk *walk, json_value *name, json_value *value);

bool json_number(json_value value, double *number);
double json_number_or(json_value value, double otherwise);
int64_t json_integer_or(json_value value, int64_t otherwise);
/* Decodes a string and ends it with a zero byte. Returns its length; -1 when it is none, does not fit, or holds a zero. */
int json_text(json_value value, char *text, size_t capacity);
bool json_text_is(json_value value, const char *text);
/* The same member name or string, however it is escaped. */
bool json_same_text(json_value one, json_value other);

/* Writes into a fixed buffer; what does not fit sets `is_truncated`, and json_finish refuses. */
typedef struct {
  char *text;
  size_t capacity, length;
  bool is_truncated, needs_comma;
} json_writer;

json_writer json_writer_on(char *text, size_t capacity);
void json_begin(json_writer *writer, char bracket); /* `{` or `[` */
void json_end(json_writer *writer, char bracket);   /* `}` or `]` */
void json_name(json_writer *writer, const char *name);
void json_put_text(json_writer *writer, const char *text);
void json_put_text_of(json_writer *writer, const char *text, size_t length);
void json_put_integer(json_writer *writer, int64_t number);
void json_put_number(json_writer *writer, double number, int decimals);
void json_put_bool(json_writer *writer, bool value);
/* A value that is JSON already. */
void json_put_raw(json_writer *writer, const char *text, size_t length);
static inline void json_put_value(json_writer *writer, json_value value) { json_put_raw(writer, value.text, value.length); }
/* Length of the zero-terminated text; -1 when it was truncated. */
int json_finish(json_writer *writer);

#endif

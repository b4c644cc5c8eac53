#include "options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"

static const struct {
  const char *name;
  size_t offset;
} TABLE[] = {
    {"--port", offsetof(struct options, port)},
    {"--qos", offsetof(struct options, qos)},
    {"--publishers", offsetof(struct options, publishers)},
    {"--subscribers", offsetof(struct options, subscribers)},
    {"--frozen", offsetof(struct options, frozen)},
    {"--batch", offsetof(struct options, batch)},
    {"--window", offsetof(struct options, window)},
    {"--rate", offsetof(struct options, rate)},
    {"--clients", offsetof(struct options, clients)},
    {"--concurrent", offsetof(struct options, concurrent)},
    {"--rounds", offsetof(struct options, rounds)},
    {"--gather", offsetof(struct options, gather)},
    {"--warm-ms", offsetof(struct options, warm_ms)},
    {"--ms", offsetof(struct options, ms)},
    {"--pid", offsetof(struct options, pid)},
    {"--deadline-s", offsetof(struct options, deadline_s)},
};

static int *place_of(struct options *options, const char *name) {
  for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
    if (strcmp(TABLE[i].name, name) == 0) return (int *)((char *)options + TABLE[i].offset);
  fail("there is no option %s", name);
}

struct options read_options(int count, char **words) {
  struct options options = {
      .port = 1883,
      .publishers = 20,
      .subscribers = 1,
      .batch = 1,
      .window = 4000,
      .rate = 20000,
      .clients = 1000,
      .concurrent = 64,
      .rounds = 1,
      .warm_ms = 300,
      .ms = 1000,
      .deadline_s = 60,
  };
  if (count < 2) fail("name a mode");
  options.mode = words[1];
  for (int i = 2; i + 1 < count; i += 2) *place_of(&options, words[i]) = atoi(words[i + 1]);
  return options;
}

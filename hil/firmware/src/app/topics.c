#include "topics.h"

#include <string.h>

#include "member.h"

bool topic_join(char topic[TOPIC_TEXT_MAX], const char *const *parts) {
  size_t length = 0;
  for (; *parts != NULL; parts += 1) {
    const size_t more = strlen(*parts);
    if (more >= TOPIC_TEXT_MAX - length) return false;
    memcpy(topic + length, *parts, more);
    length += more;
  }
  topic[length] = 0;
  return true;
}

static const char *after(const char *text, const char *start) {
  const size_t length = strlen(start);
  return text != NULL && strncmp(text, start, length) == 0 ? text + length : NULL;
}

const char *topic_after(const char *topic, const char *service) {
  return after(after(after(topic, "$aws/things/"), member.thing), service);
}

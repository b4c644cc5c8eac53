/* Names of the cloud's reserved topics for this thing. */
#ifndef FLEETRIG_TOPICS_H
#define FLEETRIG_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

enum { TOPIC_TEXT_MAX = 320 };

/* Joins texts up to NULL into `topic`; false when they do not fit. */
bool topic_join(char topic[TOPIC_TEXT_MAX], const char *const *parts);
#define TOPIC(topic, ...) topic_join(topic, (const char *const[]){"$aws/things/", member.thing, __VA_ARGS__, NULL})
/* What follows `$aws/things/<this thing>` and `service` in a topic; NULL when it is another one. */
const char *topic_after(const char *topic, const char *service);

#endif

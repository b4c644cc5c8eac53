/* What outlives restarts and power cuts, in the data flash: values by key, and the outbox of QoS 1 messages.
 * Every write is atomic: after a power cut at any byte there is the old state or the new one. */
#ifndef FLEETRIG_STORAGE_H
#define FLEETRIG_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void storage_start(void);
/* Keys of at most 15 characters, values of at most 8 KiB. get returns the length, or -1. */
bool storage_put(const char *key, const void *value, size_t length);
int storage_get(const char *key, void *value, size_t capacity);
bool storage_remove(const char *key);
void storage_erase(void);

/* A ring of records in order; each record is at most 1 KiB. Appending when full drops nothing and returns false. */
bool outbox_append(const void *record, size_t length, uint32_t *id);
bool outbox_acknowledge(uint32_t id);
/* Calls `each` for every record that is not acknowledged, oldest first, until it returns false. */
void outbox_each(bool (*each)(uint32_t id, const void *record, size_t length));
/* The same, and those that were acknowledged and still lie there: at least the last 90. */
void outbox_each_ever(bool (*each)(uint32_t id, const void *record, size_t length));
size_t outbox_count(void);
void outbox_clear(void);

#endif

/* How the data flash is divided. */
#ifndef FLEETRIG_STORAGE_LAYOUT_H
#define FLEETRIG_STORAGE_LAYOUT_H

#define STORAGE_VALUES_BYTES 131072u
#define STORAGE_OUTBOX_AT STORAGE_VALUES_BYTES
#define STORAGE_OUTBOX_BYTES 131072u

void outbox_start(void);

#endif

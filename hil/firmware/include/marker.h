/* What your firmware can tell the bench by name; names are up to 64 letters, digits and `_.:/-`. Scenarios ask for them:
 *
 *     marker("queue.depth", depth);                 expect: board.marker_value{name=queue.depth} max < 20
 *     marker_us("sensor.read", now - began);        expect: board.marker{name=sensor.read} p(95) < 50ms
 *     milestone("sensor.ready");                    the same, of the time since the board's start
 *     any of them, after an action of the scenario  expect: board.reaction{action=open-door,name=alarm} max < 100ms
 *
 * Call them from the firmware's one thread. They wait while the link has no room; what finds none there is dropped and counted (link.dropped_events). */
#ifndef FLEETRIG_MARKER_H
#define FLEETRIG_MARKER_H

#include <stdint.h>

void marker(const char *name, double value);
void marker_us(const char *name, uint64_t us);
void milestone(const char *name);

#endif

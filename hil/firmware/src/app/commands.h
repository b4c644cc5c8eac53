/* Commands of the bench: `{"id":7,"op":"name","args":{...}}`, each answered once. */
#ifndef FLEETRIG_COMMANDS_H
#define FLEETRIG_COMMANDS_H

#include "json.h"

void commands_take(json_value message);

#endif

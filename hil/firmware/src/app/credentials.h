/* Path `direct`: where and as whom the board connects, as the bench told it; kept over restarts. */
#ifndef FLEETRIG_CREDENTIALS_H
#define FLEETRIG_CREDENTIALS_H

#include <stdbool.h>

#include "hal.h"
#include "json.h"

/* Takes over and stores the arguments of the command. false: something is missing or too long. */
bool credentials_set(json_value args);
void credentials_restore(void);
void credentials_forget(void);
/* NULL when there are none. */
const hal_net_target *credentials_target(void);

#endif

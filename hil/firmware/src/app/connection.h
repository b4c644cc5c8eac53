/* The member's connection over its whole life: dials, reconnects by policy, does what is ordered. States, events and effects are those
 * of sim/connection/connection-machine.ts. */
#ifndef FLEETRIG_CONNECTION_H
#define FLEETRIG_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  CONNECTION_IDLE, CONNECTION_DIALING, CONNECTION_HANDSHAKING, CONNECTION_ONLINE, CONNECTION_BACKOFF, CONNECTION_HELD,
  CONNECTION_BOOTING, CONNECTION_STOPPED
} connection_state;

typedef enum { POLICY_NONE, POLICY_CONSTANT, POLICY_EXPONENTIAL, POLICY_EQUAL_JITTER, POLICY_FULL_JITTER, POLICY_DECORRELATED } reconnect_policy;

typedef struct {
  reconnect_policy policy;
  int64_t base_us, cap_us, reset_after_us;
} reconnect_plan;

/* What the connection tells the device. */
typedef struct {
  void (*online)(bool session_present);
  void (*offline)(const char *reason);
} connection_handlers;

void connection_start(const connection_handlers *handlers);
/* Forgets everything, says nothing: another member begins. */
void connection_reset(void);
connection_state connection_now(void);
/* Connects at that time of the board. */
void connection_begin(int64_t at_us);
/* As after a restart that the device wanted: dials when the time is over. */
void connection_resume(int64_t at_us);
void connection_connect(void);
/* `action` labels what follows; may be NULL. */
void connection_disconnect(bool is_graceful, int64_t hold_us, const char *action);
/* Ends the link without DISCONNECT; the restart itself is the caller's. */
void connection_reboot(int64_t down_us);
void connection_desert(void);
void connection_stop(void);
/* The bench listens again: what waited for it dials. */
void connection_reachable(void);

/* From the MQTT client. */
void connection_accepted(bool session_present, int64_t session_lifetime_us);
void connection_refused(const char *reason);
void connection_lost(const char *reason);
/* From the network. */
void connection_opened(void);
void connection_failed(const char *reason);

/* Delay before the next attempt in µs; -1: never. `fraction` is a draw in [0, 1). */
int64_t reconnect_delay_us(const reconnect_plan *plan, uint32_t attempt, int64_t previous_us, double fraction);

#endif

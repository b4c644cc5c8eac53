#include "connection.h"

#include <string.h>

#include "events.h"
#include "hal.h"
#include "member.h"
#include "mqtt_client.h"
#include "network.h"
#include "outgoing.h"
#include "prng.h"
#include "timer.h"

/* TCP connect and CONNACK together; then the attempt is given up. */
static const uint64_t CONNECT_TIMEOUT_US = 10000000;
/* No policy retries sooner. */
static const int64_t RETRY_DELAY_MIN_US = 1000;

typedef enum { CONNECT, OPENED, FAILED, ACCEPTED, REFUSED, LOST, TIMED_OUT, CUT, LEAVE, REBOOT, RETRY, HOLD_OVER, BOOTED, DESERT, STOP, EVENTS } event;

enum {
  DIAL = 1, ABANDON = 2, ABORT = 4, CLOSE = 8, FORGET = 16, ARM_RETRY = 32, ARM_HOLD = 64, CLEAR = 128, DISCARD = 256,
  SAY_OPEN = 512, SAY_REFUSED = 1024, SAY_LOST = 2048, SAY_CLOSED = 4096
};

/* What entering a state does, after what the transition does. */
static const uint16_t ON_ENTRY[] = {
    [CONNECTION_DIALING] = DIAL,           [CONNECTION_ONLINE] = CLEAR | SAY_OPEN, [CONNECTION_BACKOFF] = ARM_RETRY,
    [CONNECTION_HELD] = ARM_HOLD,          [CONNECTION_BOOTING] = FORGET | ARM_HOLD, [CONNECTION_STOPPED] = CLEAR | DISCARD,
    [CONNECTION_HANDSHAKING] = 0,          [CONNECTION_IDLE] = 0,
};

typedef struct {
  uint8_t is_known, target;
  uint16_t effects;
} transition;
#define TO(state, what) {1, CONNECTION_##state, what}

/* Within a row: what the transition does comes before what entering does; see run(). */
static const transition TABLE[CONNECTION_STOPPED + 1][EVENTS] = {
    [CONNECTION_IDLE] = {[CONNECT] = TO(DIALING, 0), [REBOOT] = TO(BOOTING, 0), [DESERT] = TO(STOPPED, 0), [STOP] = TO(STOPPED, 0)},
    [CONNECTION_DIALING] = {[OPENED] = TO(HANDSHAKING, 0), [FAILED] = TO(BACKOFF, SAY_REFUSED), [TIMED_OUT] = TO(BACKOFF, ABANDON | SAY_REFUSED),
                            [CUT] = TO(BACKOFF, ABANDON | SAY_REFUSED), [LEAVE] = TO(HELD, ABANDON | SAY_REFUSED),
                            [REBOOT] = TO(BOOTING, ABANDON | SAY_REFUSED), [DESERT] = TO(STOPPED, ABANDON), [STOP] = TO(STOPPED, ABANDON)},
    [CONNECTION_HANDSHAKING] = {[ACCEPTED] = TO(ONLINE, 0), [REFUSED] = TO(BACKOFF, SAY_REFUSED), [LOST] = TO(BACKOFF, SAY_REFUSED),
                                [TIMED_OUT] = TO(BACKOFF, ABORT | SAY_REFUSED), [CUT] = TO(BACKOFF, ABORT | SAY_REFUSED),
                                [LEAVE] = TO(HELD, ABORT | SAY_REFUSED), [REBOOT] = TO(BOOTING, ABORT | SAY_REFUSED),
                                [DESERT] = TO(STOPPED, ABORT), [STOP] = TO(STOPPED, ABORT)},
    [CONNECTION_ONLINE] = {[LOST] = TO(BACKOFF, SAY_LOST), [CUT] = TO(BACKOFF, ABORT | SAY_LOST), [LEAVE] = TO(HELD, CLOSE | SAY_CLOSED),
                           [REBOOT] = TO(BOOTING, ABORT | SAY_LOST), [DESERT] = TO(STOPPED, ABORT | SAY_LOST), [STOP] = TO(STOPPED, CLOSE | SAY_CLOSED)},
    [CONNECTION_BACKOFF] = {[RETRY] = TO(DIALING, 0), [CONNECT] = TO(DIALING, 0), [LEAVE] = TO(HELD, 0), [REBOOT] = TO(BOOTING, 0),
                            [DESERT] = TO(STOPPED, 0), [STOP] = TO(STOPPED, 0)},
    [CONNECTION_HELD] = {[HOLD_OVER] = TO(BACKOFF, 0), [CONNECT] = TO(DIALING, 0), [LEAVE] = TO(HELD, 0), [REBOOT] = TO(BOOTING, 0),
                         [DESERT] = TO(STOPPED, 0), [STOP] = TO(STOPPED, 0)},
    [CONNECTION_BOOTING] = {[BOOTED] = TO(DIALING, 0), [CONNECT] = TO(DIALING, 0), [REBOOT] = TO(BOOTING, 0), [DESERT] = TO(STOPPED, 0),
                            [STOP] = TO(STOPPED, 0)},
};

static const connection_handlers *handlers;
static connection_state state;
static event timer_event;
static char timer_reason[16], reason[48], action[64];
static bool has_action, waits_for_path, is_busy, session_present;
static int64_t hold_us, hindered_until_us, lifetime_us;
static uint64_t dialed_us, opened_us;
static prng draws;

static struct {
  event what;
  char why[48];
} queue[8];
static size_t queued;

static void expire(void);
static timer wait_timer = {.fire = expire};

static void copy_text(char *to, size_t capacity, const char *from) {
  const size_t length = strlen(from) < capacity - 1 ? strlen(from) : capacity - 1;
  memcpy(to, from, length);
  to[length] = 0;
}

static void wait_for(int64_t delay_us, event what, const char *why) {
  timer_event = what;
  copy_text(timer_reason, sizeof timer_reason, why);
  timer_after(&wait_timer, delay_us < 0 ? 0 : (uint64_t)delay_us);
}

static json_writer *begin_event(const char *kind) {
  json_writer *out = events_begin("connection");
  json_name(out, "kind");
  json_put_text(out, kind);
  json_name(out, "at");
  json_put_integer(out, (int64_t)hal_now_us());
  return out;
}

static void say_with_reason(const char *kind) {
  json_writer *out = begin_event(kind);
  json_name(out, "reason");
  json_put_text(out, reason);
  events_send();
}

static void dial(void) {
  waits_for_path = !network_is_reachable();
  if (waits_for_path) {
    timer_cancel(&wait_timer);
    return;
  }
  dialed_us = hal_now_us();
  json_writer *out = begin_event("attempt");
  json_name(out, "attempt");
  json_put_integer(out, memory->attempt);
  events_send();
  if ((int64_t)dialed_us < hindered_until_us) {
    wait_for(0, FAILED, "unreachable");
    return;
  }
  wait_for((int64_t)CONNECT_TIMEOUT_US, TIMED_OUT, "timeout");
  network_dial();
}

static void arm_retry(void) {
  const int64_t delay_us =
      reconnect_delay_us(&member.reconnect, memory->attempt, memory->previous_delay_us, prng_fraction(&draws));
  if (delay_us < 0) {
    timer_cancel(&wait_timer);
    return;
  }
  memory->attempt += 1;
  memory->previous_delay_us = delay_us;
  wait_for(delay_us < RETRY_DELAY_MIN_US ? RETRY_DELAY_MIN_US : delay_us, RETRY, "");
}

static void say_open(void) {
  const uint64_t now_us = hal_now_us();
  const int64_t since_us = run_us(now_us) - memory->lost_at_us;
  has_action = false;
  json_writer *out = begin_event("open");
  json_name(out, "sessionPresent");
  json_put_bool(out, session_present);
  json_name(out, "resumeExpected");
  json_put_bool(out, since_us < memory->session_lifetime_us);
  json_name(out, "connectUs");
  json_put_integer(out, (int64_t)(now_us - dialed_us));
  events_send();
  opened_us = now_us;
  memory->was_online = true;
  memory->session_lifetime_us = lifetime_us;
  outgoing_unbuffer();
  mqtt_client_pump();
  handlers->online(session_present);
}

static void say_end(const char *kind) {
  const uint64_t now_us = hal_now_us();
  memory->lost_at_us = run_us(now_us);
  memory->was_online = false;
  if ((int64_t)(now_us - opened_us) >= member.reconnect.reset_after_us) {
    memory->attempt = 0;
    memory->previous_delay_us = member.reconnect.base_us;
  }
  json_writer *out = begin_event(kind);
  if (strcmp(kind, "lost") == 0) {
    json_name(out, "reason");
    json_put_text(out, reason);
  }
  if (has_action) {
    json_name(out, "action");
    json_put_text(out, action);
  }
  events_send();
  handlers->offline(reason);
}

static void abandon(void) { network_close(false); }

static void arm_hold(void) { wait_for(hold_us, state == CONNECTION_BOOTING ? BOOTED : HOLD_OVER, ""); }

static void clear(void) { timer_cancel(&wait_timer); }
static void say_refused(void) { say_with_reason("refused"); }
static void say_lost(void) { say_end("lost"); }
static void say_closed(void) { say_end("closed"); }

static void run(unsigned effects) {
  static const struct {
    unsigned effect;
    void (*carry_out)(void);
  } ORDER[] = {
      {ABANDON, abandon},         {ABORT, mqtt_client_abort}, {CLOSE, mqtt_client_disconnect}, {SAY_REFUSED, say_refused},
      {SAY_LOST, say_lost},       {SAY_CLOSED, say_closed},   {FORGET, outgoing_forget},       {DIAL, dial},
      {CLEAR, clear},             {SAY_OPEN, say_open},       {ARM_RETRY, arm_retry},          {ARM_HOLD, arm_hold},
      {DISCARD, outgoing_discard_buffered},
  };
  for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i += 1) {
    if ((effects & ORDER[i].effect) != 0) ORDER[i].carry_out();
  }
}

static void take(event what, const char *why) {
  const transition *next = &TABLE[state][what];
  if (!next->is_known) return;
  copy_text(reason, sizeof reason, why);
  state = (connection_state)next->target;
  run(next->effects);
  run(ON_ENTRY[state]);
}

/* One event at a time: what effects cause is taken up when they are done. */
static void send(event what, const char *why) {
  if (is_busy) {
    if (queued == sizeof queue / sizeof queue[0]) return;
    queue[queued].what = what;
    copy_text(queue[queued].why, sizeof queue[queued].why, why);
    queued += 1;
    return;
  }
  is_busy = true;
  take(what, why);
  for (size_t i = 0; i < queued; i += 1) take(queue[i].what, queue[i].why);
  queued = 0;
  is_busy = false;
}

static void expire(void) {
  char why[sizeof timer_reason];
  memcpy(why, timer_reason, sizeof why);
  send(timer_event, why);
}

void connection_start(const connection_handlers *wanted) { handlers = wanted; }

void connection_reset(void) {
  timer_cancel(&wait_timer);
  network_close(false);
  mqtt_client_reset();
  state = CONNECTION_IDLE;
  has_action = waits_for_path = false;
  hindered_until_us = 0;
  if (memory->attempt == 0) memory->previous_delay_us = member.reconnect.base_us;
  draws = prng_stream(member.seed, "backoff");
}

connection_state connection_now(void) { return state; }

void connection_begin(int64_t at_us) {
  if (state == CONNECTION_IDLE) wait_for(at_us - (int64_t)hal_now_us(), CONNECT, "");
}

void connection_resume(int64_t at_us) {
  if (state != CONNECTION_IDLE) return;
  state = CONNECTION_BOOTING;
  wait_for(at_us - (int64_t)hal_now_us(), BOOTED, "");
}

void connection_connect(void) {
  hindered_until_us = 0;
  send(CONNECT, "");
}

void connection_disconnect(bool is_graceful, int64_t for_us, const char *wanted) {
  if (state == CONNECTION_IDLE && is_graceful) return;
  has_action = wanted != NULL;
  if (has_action) copy_text(action, sizeof action, wanted);
  if (is_graceful) {
    hold_us = for_us;
    send(LEAVE, "graceful");
    return;
  }
  hindered_until_us = (int64_t)hal_now_us() + for_us;
  send(CUT, "ungraceful");
}

void connection_reboot(int64_t down_us) {
  hold_us = down_us;
  memory->down_until_us = run_us(hal_now_us()) + down_us;
  send(REBOOT, "reboot");
}

void connection_desert(void) { send(DESERT, "silent"); }
void connection_stop(void) { send(STOP, "stopped"); }

void connection_reachable(void) {
  if (!waits_for_path || state != CONNECTION_DIALING) return;
  dial();
}

void connection_accepted(bool present, int64_t session_lifetime_us) {
  session_present = present;
  lifetime_us = session_lifetime_us;
  send(ACCEPTED, "");
}

void connection_refused(const char *why) { send(REFUSED, why); }
void connection_lost(const char *why) { send(LOST, why); }

void connection_opened(void) {
  mqtt_client_open();
  send(OPENED, "");
}

void connection_failed(const char *why) { send(FAILED, why); }

#include "subscriptions.h"

#include <string.h>

#include "link.h"
#include "mqtt_client.h"
#include "outgoing.h"
#include "timer.h"

/* AWS: at most 8 filters in one SUBSCRIBE. */
enum { FILTERS_PER_PACKET = 8 };
/* A server that does not answer is asked again. */
static const uint64_t ANSWER_TIMEOUT_US = 10000000;

static struct {
  char filter[MQTT_FILTER_MAX];
  /* GRANTED holds as long as the session does, the others as long as the connection. */
  enum { MISSING, ASKED, GRANTED, REFUSED } state;
  uint16_t packet_id; /* while ASKED */
} wanted[MQTT_SUBSCRIPTIONS_MAX];
static size_t count;
static uint16_t last_id = PACKET_ID_REQUESTS;

static void ask_again(void);
static timer answer = {.fire = ask_again};

void subscriptions_clear(void) {
  count = 0;
  timer_cancel(&answer);
}

void subscriptions_want(const char *filter) {
  const size_t length = strlen(filter);
  for (size_t i = 0; i < count; i += 1) {
    if (strcmp(wanted[i].filter, filter) == 0) return;
  }
  if (count == MQTT_SUBSCRIPTIONS_MAX || length >= sizeof wanted[0].filter) {
    link_log('E', "mqtt", "no room for a subscription to %s", filter);
    return;
  }
  memcpy(wanted[count].filter, filter, length + 1);
  wanted[count].state = MISSING;
  count += 1;
}

static uint16_t next_id(void) {
  last_id = last_id == PACKET_ID_MAX ? PACKET_ID_REQUESTS + 1 : (uint16_t)(last_id + 1);
  return last_id;
}

static bool ask_once(void) {
  const char *filters[FILTERS_PER_PACKET];
  size_t places[FILTERS_PER_PACKET], asked = 0;
  for (size_t i = 0; i < count && asked < FILTERS_PER_PACKET; i += 1) {
    if (wanted[i].state != MISSING) continue;
    filters[asked] = wanted[i].filter;
    places[asked++] = i;
  }
  if (asked == 0) return false;
  const uint16_t id = next_id();
  timer_after(&answer, ANSWER_TIMEOUT_US);
  if (!mqtt_client_send_subscribe(id, filters, asked)) return false;
  for (size_t i = 0; i < asked; i += 1) {
    wanted[places[i]].state = ASKED;
    wanted[places[i]].packet_id = id;
  }
  return true;
}

void subscriptions_ask(void) {
  while (ask_once()) continue;
}

static bool is_asked(size_t place, uint16_t packet_id) { return wanted[place].state == ASKED && wanted[place].packet_id == packet_id; }

static bool is_first_of_its_packet(size_t place) {
  for (size_t i = 0; i < place; i += 1)
    if (is_asked(i, wanted[place].packet_id)) return false;
  return true;
}

/* What is sent again keeps its identifier: it is no new request [MQTT 3.1.1, MQTT-2.3.1-1]. */
static void ask_again(void) {
  timer_after(&answer, ANSWER_TIMEOUT_US);
  for (size_t first = 0; first < count; first += 1) {
    const uint16_t id = wanted[first].packet_id;
    if (wanted[first].state != ASKED || !is_first_of_its_packet(first)) continue;
    const char *filters[FILTERS_PER_PACKET];
    size_t asked = 0;
    for (size_t i = first; i < count && asked < FILTERS_PER_PACKET; i += 1)
      if (is_asked(i, id)) filters[asked++] = wanted[i].filter;
    if (!mqtt_client_send_subscribe(id, filters, asked)) return;
  }
  subscriptions_ask();
}

void subscriptions_answered(uint16_t packet_id, const uint8_t *reasons, size_t length) {
  size_t place = 0;
  bool is_waiting = false;
  for (size_t i = 0; i < count; i += 1) {
    if (wanted[i].state != ASKED) continue;
    if (wanted[i].packet_id != packet_id) {
      is_waiting = true;
      continue;
    }
    const bool is_granted = place < length && reasons[place] < 0x80;
    wanted[i].state = is_granted ? GRANTED : REFUSED;
    if (!is_granted) link_log('W', "mqtt", "subscription to %s refused", wanted[i].filter);
    place += 1;
  }
  if (!is_waiting) timer_cancel(&answer);
}

void subscriptions_rewind(bool session_present) {
  for (size_t i = 0; i < count; i += 1) {
    if (!session_present || wanted[i].state != GRANTED) wanted[i].state = MISSING;
  }
}

void subscriptions_detach(void) { timer_cancel(&answer); }

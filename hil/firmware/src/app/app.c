#include "app.h"

#include <string.h>

#include "commands.h"
#include "configure.h"
#include "connection.h"
#include "boot.h"
#include "events.h"
#include "hal.h"
#include "lifecycle.h"
#include "link.h"
#include "marker.h"
#include "member.h"
#include "model.h"
#include "mqtt_client.h"
#include "network.h"
#include "timer.h"

static void online(bool session_present) {
  static bool was_online;
  (void)session_present;
  if (!was_online) milestone("online");
  was_online = true;
  link_log('I', "mqtt", "connected as %s", member.thing);
  /* An image that nobody updated to has nothing more to prove than this. */
  if (boot_is_unconfirmed() && strcmp(member.model, ota_device.name) != 0) boot_confirm();
  model_connected();
}

static void offline(const char *reason) {
  link_log('W', "mqtt", "offline: %s", reason[0] == 0 ? "closed" : reason);
  model_disconnected();
}

void app_start(void) {
  static const network_handlers NETWORK = {connection_opened, connection_failed, mqtt_client_received, mqtt_client_closed};
  static const connection_handlers CONNECTION = {online, offline};
  network_start(&NETWORK);
  mqtt_client_start(model_message);
  connection_start(&CONNECTION);
  configure_restore();
}

static uint64_t longest_us;

uint64_t app_poll(uint64_t now_us) {
  configure_note_time(now_us);
  timers_fire(now_us);
  events_poll();
  uint64_t due_us = network_poll(now_us);
  mqtt_client_pump();
  const uint64_t others[] = {network_poll(now_us), lifecycle_poll(now_us), timers_next_us()};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i += 1) {
    if (others[i] < due_us) due_us = others[i];
  }
  const uint64_t took_us = hal_now_us() - now_us;
  if (took_us > longest_us) longest_us = took_us;
  return due_us;
}

uint64_t app_longest_us(void) { return longest_us; }

size_t app_hello(char *text, size_t capacity) {
  if (!member_is_configured()) return 0;
  json_writer out = json_writer_on(text, capacity);
  json_name(&out, "thing");
  json_put_text(&out, member.thing);
  const int length = json_finish(&out);
  return length < 0 ? 0 : (size_t)length;
}

void app_received(int channel, uint8_t *bytes, size_t length, bool is_end) {
  json_value message;
  (void)is_end;
  if (channel == LINK_NETWORK) {
    network_tunnelled(bytes, length);
    return;
  }
  if (channel != LINK_CONTROL || !json_parse((const char *)bytes, length, &message)) return;
  if (json_is_present(json_member(message, "net"))) network_control(message);
  else if (json_is_present(json_member(message, "op"))) commands_take(message);
}

void app_link_opened(uint32_t session) {
  (void)session;
  network_link_lost();
  connection_reachable();
}

void app_link_closed(void) { network_link_lost(); }

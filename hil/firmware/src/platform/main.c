/* The order of the firmware: storage, boot slots, device logic, link; then the loop. */
#include "main.h"

#include "app.h"
#include "boot.h"
#include "hal.h"
#include "link.h"
#include "link_frame.h"
#include "link_window.h"
#include "storage.h"

#include <stdio.h>
#include <string.h>

static struct {
  uint32_t boot_id, boots;
  bool has_crash;
  hal_crash_record crash;
  uint32_t crash_session; /* the session that is told of the crash; 0: none was yet */
} board;

/* Adds a piece; one that does not fit is left out. */
static size_t add(char *text, size_t capacity, size_t length, const char *piece) {
  size_t more = strlen(piece);
  if (length + more >= capacity) {
    return length;
  }
  memcpy(text + length, piece, more + 1);
  return length + more;
}

static size_t hello(char *text, size_t capacity) {
  char build[9], piece[320];
  boot_build(build);
  size_t length = 0;
  snprintf(piece, sizeof piece,
           "{\"proto\":1,\"fw\":\"fleetrig-reference\",\"version\":\"%s\",\"build\":\"%s\",\"chip\":\"%s\",\"mac\":\"%s\"",
           boot_version(), build, hal_chip(), hal_mac());
  length = add(text, capacity, length, piece);
  uint64_t now_us = hal_now_us();
  snprintf(piece, sizeof piece, ",\"bootId\":%lu,\"boots\":%lu,\"reset\":\"%s\",\"upUs\":%llu,\"rx\":%u,\"maxPayload\":%u,\"window\":%u",
           (unsigned long)board.boot_id, (unsigned long)board.boots, hal_reset_reason(), (unsigned long long)now_us,
           (unsigned)LINK_RECEIVE_BYTES, (unsigned)LINK_PAYLOAD_MAX, (unsigned)LINK_WINDOW);
  length = add(text, capacity, length, piece);
  snprintf(piece, sizeof piece, ",\"caps\":[\"mqtt\",%s\"ota\",\"gpio\",\"adc\",\"crash\",\"sleep\",\"nvs\"]",
           hal_net_available() ? "\"direct\"," : "");
  length = add(text, capacity, length, piece);
  if (board.has_crash) {
    snprintf(piece, sizeof piece, ",\"crash\":{\"kind\":\"%s\",\"pc\":%lu}", board.crash.kind, (unsigned long)board.crash.pc);
    length = add(text, capacity, length, piece);
  }
  piece[0] = ',';
  size_t from_app = app_hello(piece + 1, sizeof piece - 2);
  if (from_app > 0 && length + from_app + 2 < capacity) {
    piece[1 + from_app] = 0;
    length = add(text, capacity, length, piece);
  }
  return add(text, capacity, length, "}");
}

/* A crash is told in the hellos until a second session begins: the first one has heard it. */
static void opened(uint32_t session) {
  if (board.crash_session != 0 && board.crash_session != session) {
    board.has_crash = false;
  }
  board.crash_session = session;
  app_link_opened(session);
}

static void count_boot(void) {
  if (storage_get("boots", &board.boots, sizeof board.boots) != (int)sizeof board.boots) {
    board.boots = 0;
  }
  board.boots++;
  storage_put("boots", &board.boots, sizeof board.boots);
}

void firmware_main(void) {
  static const link_handlers handlers = {
      .hello = hello, .received = app_received, .opened = opened, .closed = app_link_closed};
  storage_start();
  count_boot();
  board.boot_id = hal_random();
  board.has_crash = hal_last_crash(&board.crash);
  app_start();
  link_start(&handlers);
  link_log('I', "boot", "fleetrig-reference %s on %s%s", boot_version(), hal_chip(),
           boot_is_unconfirmed() ? ", unconfirmed" : "");
  for (;;) {
    uint64_t link_due_us = link_poll(hal_now_us());
    uint64_t app_due_us = app_poll(hal_now_us());
    /* What the device logic queued leaves before the board sleeps. */
    uint64_t again_us = link_poll(hal_now_us());
    link_due_us = again_us < link_due_us ? again_us : link_due_us;
    uint64_t due_us = app_due_us < link_due_us ? app_due_us : link_due_us;
    hal_wait(due_us);
  }
}

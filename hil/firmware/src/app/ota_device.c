/* Firmware update by AWS IoT Jobs, state by state as sim/models/ota-device.ts: download, verify, flash, restart, self-test, commit or
 * roll back. Where the job names a stream all of that is real; else the device only takes its time. */
#include <string.h>

#include "boot.h"
#include "connection.h"
#include "events.h"
#include "hal.h"
#include "link.h"
#include "member.h"
#include "model.h"
#include "ota_download.h"
#include "ota_job.h"
#include "ota_phases.h"
#include "prng.h"
#include "storage.h"
#include "telemetry.h"
#include "timer.h"

typedef enum {
  IDLE, HEALTHY, FAILED, PREPARING, DOWNLOADING, PAUSED, STALLED, VERIFYING, HUNG, FLASHING, LEAVING, REBOOTING, BOOT_LOOPING, SELF_TESTING, SILENT
} ota_state;

static const char *const NAMES[] = {"idle",     "healthy", "failed",   "preparing", "downloading", "paused",      "stalled", "verifying",
                                    "hung",     "flashing", "leaving", "rebooting", "bootLooping", "selfTesting", "silent"};

static const char KEY[] = "ota";
enum { LAYOUT = 3, REASON_MAX = 32 };
/* Lets the last status leave before the link goes. */
static const uint64_t LEAVE_US = 500000, ASK_AGAIN_US = 5000000;
/* A new image that does not get that far in this time is none. */
static const uint64_t PROVE_WITHIN_US = 180000000;

/* All that outlives a restart. */
static struct {
  uint32_t layout;
  ota_state state;
  char firmware[OTA_VERSION_MAX], reason[REASON_MAX];
  ota_job job;
  ota_phases phases;
  ota_faults faults;
  bool is_slot_begun; /* what lies in the slot is this download's; before that, it may be an image of old */
} ota;

static uint32_t blocks_done;
static bool is_block_due;
static prng draws;

static void phase_over(void);
static void ask_again(void);
static void give_image_up(void);
static timer phase = {.fire = phase_over}, later = {.fire = ask_again}, proof = {.fire = give_image_up};

static bool is_real(void) { return ota.job.stream[0] != 0; }
static bool is_ready(void) { return ota.state == IDLE || ota.state == HEALTHY || ota.state == FAILED; }
static void save(void) { storage_put(KEY, &ota, sizeof ota); }
static bool has(ota_fault fault) { return ota_has(&ota.faults, fault); }

static void become(ota_state state);

static void fail(const char *reason) {
  memcpy(ota.reason, reason, strlen(reason) + 1);
  become(FAILED);
}

/* The time table begins when the size is known, or goes on where an earlier run of the board was, as far as the blocks came. */
static void described(uint32_t blocks) {
  ota.is_slot_begun = true;
  save();
  ota_plan_blocks(&ota.phases, blocks);
  blocks_done = ota_download_blocks() < blocks_done ? ota_download_blocks() : blocks_done;
  ota_download_advance(blocks_done);
  if (ota.state == DOWNLOADING) timer_after(&phase, (uint64_t)ota.phases.block_us);
}

static void block_over(void);

static void arrived(void) {
  if (ota.state != DOWNLOADING || !is_block_due) return;
  model_enter();
  block_over();
  model_leave();
}

static void download_failed(void) {
  model_enter();
  if (ota.state == DOWNLOADING || ota.state == STALLED) fail("download-failed");
  model_leave();
}

static void start_download(void) {
  static const ota_download_handlers HANDLERS = {described, arrived, download_failed};
  const ota_source source = {ota.job.stream, ota.job.file, member.block_bytes, has(OTA_VERIFY_FAILED), ota.is_slot_begun};
  ota_download_start(&source, &HANDLERS);
}

static void enter_downloading(void) {
  is_block_due = false;
  if (is_real()) {
    /* The time table begins when the size is known. */
    if (ota_download_is_described()) timer_after(&phase, (uint64_t)ota.phases.block_us);
    ota_download_connected();
  } else {
    timer_after(&phase, (uint64_t)ota.phases.block_us);
  }
}

static void restart(int64_t down_us, const char *why) {
  link_log('I', "ota", "restarting into %s", ota.job.version);
  model_reboot(down_us, why);
}

static void go_silent(void) {
  restart(ota.phases.down_us, "job");
  telemetry_stop();
  connection_desert();
}

static void enter(ota_state state) {
  switch (state) {
    case FAILED:
      ota_download_stop();
      boot_update_abort();
      link_log('E', "ota", "update to %s failed: %s", ota.job.version, ota.reason);
      ota_job_update(&ota.job, "FAILED", "reason", ota.reason, "firmware", ota.firmware);
      return;
    case DOWNLOADING: enter_downloading(); return;
    case PAUSED: ota_download_paused(); return;
    case VERIFYING:
      ota_job_update(&ota.job, "IN_PROGRESS", "step", "verifying", NULL, NULL);
      timer_after(&phase, (uint64_t)ota.phases.verify_us);
      return;
    case FLASHING:
      ota_job_update(&ota.job, "IN_PROGRESS", "step", "flashing", NULL, NULL);
      timer_after(&phase, (uint64_t)ota.phases.flash_us);
      return;
    case LEAVING:
      ota_job_update(&ota.job, "IN_PROGRESS", "step", "rebooting", NULL, NULL);
      timer_after(&phase, LEAVE_US);
      return;
    case REBOOTING: restart(ota.phases.down_us, "job"); return;
    case BOOT_LOOPING: restart(ota.phases.down_us * BOOT_ATTEMPTS, "job"); return;
    case SELF_TESTING: timer_after(&phase, (uint64_t)ota.phases.self_test_us); return;
    case SILENT: go_silent(); return;
    default: return;
  }
}

static void become(ota_state state) {
  timer_cancel(&phase);
  ota.state = state;
  save();
  link_log('I', "ota", "%s", NAMES[state]);
  enter(state);
}

/* A block's time is over; a real one must have come, too. */
static void block_over(void) {
  is_block_due = is_real() && ota_download_blocks() <= blocks_done;
  if (is_block_due) return;
  const bool is_halfway = blocks_done + 1 >= (ota.phases.blocks + 1) / 2;
  if (is_halfway && has(OTA_DOWNLOAD_STALL)) {
    become(STALLED);
    return;
  }
  if (is_halfway && has(OTA_DOWNLOAD_FAILED)) {
    fail("download-failed");
    return;
  }
  blocks_done += 1;
  memory->ota_blocks = blocks_done;
  link_log('I', "ota", "downloading %lu/%lu", (unsigned long)blocks_done, (unsigned long)ota.phases.blocks);
  if (blocks_done >= ota.phases.blocks) {
    ota_download_paused();
    become(VERIFYING);
    return;
  }
  timer_after(&phase, (uint64_t)ota.phases.block_us);
  if (is_real()) ota_download_advance(blocks_done);
}

static bool is_intact(void) {
  char hex[65];
  if (ota.job.sha256[0] == 0) return !has(OTA_VERIFY_FAILED);
  if (is_real()) ota_download_sha256(hex);
  else ota_artifact_sha256(ota.job.version, has(OTA_VERIFY_FAILED), hex);
  return strcmp(hex, ota.job.sha256) == 0;
}

static void finish_verifying(void) {
  if (!is_intact()) fail("sha256-mismatch");
  else become(has(OTA_HANG) ? HUNG : FLASHING);
}

static void finish_flashing(void) {
  const bool is_written = !has(OTA_FLASH_FAILED) && (!is_real() || boot_update_finish(NULL) == BOOT_UPDATE_OK);
  if (is_written) become(LEAVING);
  else fail("flash-failed");
}

static void succeed(void) { ota_job_update(&ota.job, "SUCCEEDED", "firmware", ota.job.version, NULL, NULL); }

static void finish_leaving(void) {
  const bool is_silent = has(OTA_SILENT);
  if (is_silent && ota.faults.claims_success) succeed();
  become(is_silent ? SILENT : has(OTA_BOOT_LOOP) ? BOOT_LOOPING : REBOOTING);
}

static void finish_self_test(void) {
  timer_cancel(&proof);
  if (is_real()) boot_confirm();
  ota_report_firmware(ota.firmware);
  succeed();
  become(HEALTHY);
}

static void phase_over(void) {
  model_enter();
  switch (ota.state) {
    case DOWNLOADING: block_over(); break;
    case VERIFYING: finish_verifying(); break;
    case FLASHING: finish_flashing(); break;
    case LEAVING: finish_leaving(); break;
    case SELF_TESTING: finish_self_test(); break;
    default: break;
  }
  model_leave();
}

/* The new image could not prove itself: the old one takes over again. */
static void give_image_up(void) {
  events_rebooting("rollback");
  ota.state = BOOT_LOOPING;
  save();
  link_flush(hal_now_us() + LEAVE_US);
  boot_roll_back();
}

static void prepare(void) {
  const double p = prng_fraction(&draws);
  ota.phases = ota_plan_phases(&ota.faults, quantile_us(&member.execution_time, p), member.block_bytes);
  blocks_done = memory->ota_blocks = 0;
  ota.is_slot_begun = false;
  if (is_real()) start_download();
  ota_job_update(&ota.job, "IN_PROGRESS", "step", "downloading", NULL, NULL);
  become(DOWNLOADING);
}

static void take_job(json_value execution) {
  ota_job job;
  if (!is_ready() || !ota_job_read(execution, &job)) return;
  if (has(OTA_REJECTED) || !job.is_supported) {
    ota_job_update(&job, "REJECTED", "reason", has(OTA_REJECTED) ? "refused-by-device" : "unsupported-document", NULL, NULL);
    return;
  }
  ota.job = job;
  ota.reason[0] = 0;
  if (strcmp(job.version, ota.firmware) == 0) {
    succeed();
    become(HEALTHY);
    return;
  }
  prepare();
}

static void ask_again(void) {
  if (is_ready()) ota_job_ask();
}

static void rejected(const char *job_id, json_value code) {
  const bool is_gone = strcmp(job_id, ota.job.id) == 0 && job_id[0] != 0 &&
                       (json_text_is(code, "InvalidStateTransition") || json_text_is(code, "TerminalStateReached") || json_text_is(code, "ResourceNotFound"));
  if (is_ready() && json_text_is(code, "RequestThrottled")) {
    timer_after(&later, ASK_AGAIN_US);
  } else if (is_ready() && is_gone) {
    ota_job_ask();
  } else if (is_gone && (ota.state == DOWNLOADING || ota.state == PAUSED || ota.state == STALLED || ota.state == VERIFYING)) {
    /* The service has given the execution up: so does the device, while that is still harmless. */
    ota_download_stop();
    boot_update_abort();
    become(IDLE);
    ota_job_ask();
  }
}

static void message(const char *topic, const uint8_t *payload, size_t length) {
  char job_id[OTA_JOB_ID_MAX] = "";
  json_value body;
  if (ota_download_message(topic, payload, length) || !json_parse((const char *)payload, length, &body)) return;
  switch (ota_job_topic(topic, job_id)) {
    case OTA_NOTIFIED:
      if (is_ready() && json_is_object(json_member(body, "execution"))) ota_job_ask();
      return;
    case OTA_STARTED: take_job(json_member(body, "execution")); return;
    case OTA_REFUSED: rejected(job_id, json_member(body, "code")); return;
    default: return;
  }
}

static void adopt_firmware(void) {
  memcpy(ota.firmware, ota.job.version, sizeof ota.firmware);
  link_log('I', "ota", "running %s", ota.firmware);
  events_firmware(ota.firmware);
  ota_job_subscribe();
  become(SELF_TESTING);
}

static void fall_back(void) {
  ota_job_subscribe();
  ota_report_firmware(ota.firmware);
  if (is_real() && boot_rolled_back() != NULL) boot_confirm();
  fail("boot-loop-rollback");
}

static void connected(void) {
  if (is_ready() && has(OTA_OFFLINE)) {
    connection_disconnect(true, INT64_C(315360000000000), "leave");
    return;
  }
  if (ota.state == REBOOTING && (!is_real() || strcmp(boot_version(), ota.job.version) == 0)) {
    adopt_firmware();
  } else if (ota.state == REBOOTING || ota.state == BOOT_LOOPING) {
    fall_back();
  } else {
    ota_job_subscribe();
    /* The update that brought this image was forgotten for another member's sake: it has nothing more to prove. */
    if (ota.state == IDLE && boot_is_unconfirmed()) boot_confirm();
    if (is_ready()) ota_job_ask();
    if (ota.state == PAUSED) become(DOWNLOADING);
  }
}

static void disconnected(void) {
  if (ota.state == DOWNLOADING) become(PAUSED);
}

static bool fault(const char *name, bool is_active, json_value detail) {
  const int known = ota_fault_of(name);
  if (known < 0) return false;
  ota_fault_set(&ota.faults, (ota_fault)known, is_active, detail);
  save();
  if (known == OTA_OFFLINE && is_ready()) {
    if (is_active) connection_disconnect(true, INT64_C(315360000000000), "leave");
    else if (connection_now() == CONNECTION_HELD) connection_connect();
  }
  if (known == OTA_DOWNLOAD_STALL && !is_active && ota.state == STALLED) become(DOWNLOADING);
  if (known == OTA_HANG && !is_active && ota.state == HUNG) become(FLASHING);
  return true;
}

static void begin_anew(void) {
  memset(&ota, 0, sizeof ota);
  ota.layout = LAYOUT;
  const size_t length = strlen(member.firmware);
  memcpy(ota.firmware, member.firmware, length < sizeof ota.firmware ? length : sizeof ota.firmware - 1);
  save();
  events_firmware(ota.firmware);
}

/* Where the update stood when the board went down, and what that means for the board that came up. */
static void go_on(void) {
  const bool is_new_image = is_real() && strcmp(boot_version(), ota.job.version) == 0 && boot_is_unconfirmed();
  if (ota.state == BOOT_LOOPING && is_new_image) hal_restart();
  if (ota.state == SELF_TESTING) ota.state = REBOOTING;
  const bool was_updating = ota.state >= PREPARING && ota.state <= LEAVING;
  if (was_updating && is_new_image) ota.state = REBOOTING;
  else if (ota.state == LEAVING && !is_real()) ota.state = REBOOTING;
  else if (was_updating) ota.state = ota.state == STALLED && has(OTA_DOWNLOAD_STALL) ? STALLED : PAUSED;
  if (ota.state == PAUSED || ota.state == STALLED) {
    blocks_done = memory->ota_blocks < ota.phases.blocks ? memory->ota_blocks : 0;
    if (is_real()) start_download();
  }
  if (ota.state == REBOOTING && is_new_image) timer_after(&proof, PROVE_WITHIN_US);
}

static void start(bool is_new) {
  timer_cancel(&phase);
  timer_cancel(&later);
  timer_cancel(&proof);
  ota_download_stop();
  blocks_done = 0;
  draws = prng_stream(member.seed ^ (uint64_t)memory->elapsed_us << 20, "ota/execution-time");
  const bool is_known = !is_new && storage_get(KEY, &ota, sizeof ota) == (int)sizeof ota && ota.layout == LAYOUT;
  if (is_known) go_on();
  else begin_anew();
}

static const char *mode(void) { return NAMES[ota.state]; }

bool ota_device_is_silent(void) { return ota.state == SILENT; }

const device_model ota_device = {.name = "ota-device", .start = start, .connected = connected, .disconnected = disconnected,
                                 .message = message, .fault = fault, .mode = mode};

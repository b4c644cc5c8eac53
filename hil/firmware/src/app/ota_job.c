#include "ota_job.h"

#include <string.h>

#include "member.h"
#include "model.h"
#include "topics.h"

static void lower(char *text) {
  for (; *text != 0; text += 1) {
    if (*text >= 'A' && *text <= 'Z') *text = (char)(*text + 32);
  }
}

/* `true` stands for the stream that bears the version's name. */
static void read_stream(json_value document, ota_job *job) {
  const json_value stream = json_member(document, "stream");
  if (json_is_true(stream)) {
    memcpy(job->stream, "fw-", 3);
    memcpy(job->stream + 3, job->version, strlen(job->version) + 1);
  } else if (json_text(stream, job->stream, sizeof job->stream) < 0) {
    job->stream[0] = 0;
  }
  job->file = (int32_t)json_integer_or(json_member(document, "fileId"), -1);
}

bool ota_job_read(json_value execution, ota_job *job) {
  const json_value document = json_member(execution, "jobDocument"), operation = json_member(document, "operation");
  memset(job, 0, sizeof *job);
  if (!json_is_object(document) || json_text(json_member(execution, "jobId"), job->id, sizeof job->id) < 0) return false;
  job->execution_number = (int32_t)json_integer_or(json_member(execution, "executionNumber"), 1);
  job->is_supported = (!json_is_present(operation) || json_text_is(operation, "ota")) &&
                      json_text(json_member(document, "version"), job->version, sizeof job->version) > 0;
  if (json_text(json_member(document, "sha256"), job->sha256, sizeof job->sha256) < 0) {
    /* One that is too long to be a hash is still a promise that nothing keeps. */
    memcpy(job->sha256, "-", json_is_string(json_member(document, "sha256")) ? 2 : 0);
  }
  lower(job->sha256);
  read_stream(document, job);
  return true;
}

ota_topic ota_job_topic(const char *topic, char job_id[OTA_JOB_ID_MAX]) {
  static const char REJECTED[] = "/update/rejected";
  const char *rest = topic_after(topic, "/jobs/");
  if (rest == NULL) return OTA_OTHER;
  if (strcmp(rest, "notify-next") == 0) return OTA_NOTIFIED;
  if (strcmp(rest, "start-next/accepted") == 0) return OTA_STARTED;
  if (strcmp(rest, "start-next/rejected") == 0) return OTA_REFUSED;
  const char *slash = strchr(rest, '/');
  if (slash == NULL || strcmp(slash, REJECTED) != 0 || slash - rest >= OTA_JOB_ID_MAX) return OTA_OTHER;
  memcpy(job_id, rest, (size_t)(slash - rest));
  job_id[slash - rest] = 0;
  return OTA_REFUSED;
}

void ota_job_subscribe(void) {
  static const char *const SUFFIXES[] = {"/jobs/notify-next", "/jobs/start-next/accepted", "/jobs/start-next/rejected", "/jobs/+/update/rejected"};
  char topic[TOPIC_TEXT_MAX];
  for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i += 1) {
    if (TOPIC(topic, SUFFIXES[i])) model_subscribe(topic);
  }
}

void ota_job_ask(void) {
  char topic[TOPIC_TEXT_MAX];
  if (TOPIC(topic, "/jobs/start-next")) model_request(topic, "{}", 2);
}

void ota_job_update(const ota_job *job, const char *status, const char *name, const char *value, const char *name2, const char *value2) {
  char topic[TOPIC_TEXT_MAX], body[512];
  json_writer out = json_writer_on(body, sizeof body);
  json_begin(&out, '{');
  json_name(&out, "status");
  json_put_text(&out, status);
  json_name(&out, "statusDetails");
  json_begin(&out, '{');
  json_name(&out, name);
  json_put_text(&out, value);
  if (name2 != NULL) {
    json_name(&out, name2);
    json_put_text(&out, value2);
  }
  json_end(&out, '}');
  json_name(&out, "executionNumber");
  json_put_integer(&out, job->execution_number);
  json_end(&out, '}');
  const int length = json_finish(&out);
  if (length > 0 && TOPIC(topic, "/jobs/", job->id, "/update")) model_request(topic, body, (size_t)length);
}

void ota_report_firmware(const char *version) {
  char topic[TOPIC_TEXT_MAX], body[128];
  json_writer out = json_writer_on(body, sizeof body);
  json_begin(&out, '{');
  json_name(&out, "state");
  json_begin(&out, '{');
  json_name(&out, "reported");
  json_begin(&out, '{');
  json_name(&out, "firmware");
  json_put_text(&out, version);
  json_end(&out, '}');
  json_end(&out, '}');
  json_end(&out, '}');
  const int length = json_finish(&out);
  if (length > 0 && TOPIC(topic, "/shadow/update")) model_request(topic, body, (size_t)length);
}

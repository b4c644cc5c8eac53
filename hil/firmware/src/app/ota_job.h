/* What the OTA device says to the jobs service and to its shadow, and what it reads of job executions. */
#ifndef FLEETRIG_OTA_JOB_H
#define FLEETRIG_OTA_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

enum { OTA_VERSION_MAX = 65, OTA_JOB_ID_MAX = 65, OTA_STREAM_MAX = 129 };

typedef struct {
  char id[OTA_JOB_ID_MAX], version[OTA_VERSION_MAX], sha256[65], stream[OTA_STREAM_MAX];
  int32_t execution_number, file;
  bool is_supported;
} ota_job;

typedef enum { OTA_OTHER, OTA_NOTIFIED, OTA_STARTED, OTA_REFUSED } ota_topic;

/* false: not an execution. A document that this device cannot do gives one that is not supported. */
bool ota_job_read(json_value execution, ota_job *job);
/* What a message on the topic is; for a refused update its job is written to `job_id`, otherwise nothing. */
ota_topic ota_job_topic(const char *topic, char job_id[OTA_JOB_ID_MAX]);
void ota_job_subscribe(void);
void ota_job_ask(void);
/* Up to two status details; the second may be NULL. */
void ota_job_update(const ota_job *job, const char *status, const char *name, const char *value, const char *name2, const char *value2);
void ota_report_firmware(const char *version);

#endif

/* The fleet member that the board is: its configuration (PROTOCOL.md §6), read once into tables, and what of its life outlives
 * restarts. Times of the run count from `origin`, the instant that `start` named. */
#ifndef FLEETRIG_MEMBER_H
#define FLEETRIG_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "json.h"
#include "mqtt_packet.h"
#include "network.h"
#include "quantile.h"

enum { MEMBER_NAME_MAX = 129, MEMBER_STREAMS_MAX = 8, MEMBER_SIGNALS_MAX = 16, MEMBER_TEXT_MAX = 8192 };

typedef struct {
  int32_t number; /* the run's number of the stream */
  const char *tag, *topic, *payload;
  int64_t every_us, offset_us;
  uint8_t qos;
  bool retain;
} member_stream;

typedef struct {
  const char *name;
  json_value spec;
} member_signal;

typedef struct {
  char thing[MEMBER_NAME_MAX];
  const char *model, *trace_key, *firmware;
  network_path path;
  uint64_t seed;
  int64_t connect_at_us;
  struct {
    uint8_t version;
    bool clean_start, has_will;
    uint16_t keep_alive_s, receive_maximum;
    int64_t publish_retry_us; /* 0: only a reconnect repeats a PUBLISH */
    uint32_t session_expiry_s;
    const char *username, *password;
    mqtt_will will;
  } mqtt;
  reconnect_plan reconnect;
  struct {
    uint32_t capacity;
    bool drops_newest;
  } buffer;
  member_stream streams[MEMBER_STREAMS_MAX];
  size_t stream_count;
  member_signal signals[MEMBER_SIGNALS_MAX];
  size_t signal_count;
  bool has_shadow;
  const char *shadow_name; /* NULL: the classic shadow */
  distribution apply_time, execution_time;
  uint32_t block_bytes;
} member_plan;

/* The present member; `thing` is empty when there is none. */
extern member_plan member;

/* Reads a configuration. On failure `problem` names the member at fault and the present member is gone. */
bool member_read(const char *text, size_t length, const char **problem);
bool member_is_configured(void);

/* What survives every restart except a power cut. Zero after one. */
typedef struct {
  uint32_t magic, generation;
  bool is_started, has_wall_clock, was_online;
  int64_t elapsed_us;     /* of the run, when the board was last seen alive */
  int64_t wall_at_origin_us;
  int64_t lost_at_us;     /* of the run: the last end of a connection */
  int64_t session_lifetime_us;
  int64_t down_until_us;  /* of the run: a wanted restart is over then */
  uint32_t attempt;       /* where the connection stands in its reconnect policy */
  int64_t previous_delay_us;
  uint32_t sequences[MEMBER_STREAMS_MAX];
  uint32_t sent_until;    /* records of the outbox up to this one were sent */
  uint32_t ota_blocks;
} member_memory;

extern member_memory *memory;

/* Board clock at which the run began; may be negative after a restart. */
extern int64_t origin_us;
int64_t run_us(uint64_t now_us);
/* Wall clock in ms; what the bench said, or time since 1970 began with the run. */
int64_t wall_ms(uint64_t now_us);
void wall_set(int64_t wall_at_us, int64_t at_us);

#endif

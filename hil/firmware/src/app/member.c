#include "member.h"

#include <string.h>

#include "hal.h"
#include "number.h"

member_plan member;
int64_t origin_us;

static member_memory fallback;
member_memory *memory = &fallback;

/* The configuration as it came, which values point into, and the texts decoded from it. */
static char source[MEMBER_TEXT_MAX], texts[MEMBER_TEXT_MAX];
static size_t texts_used;
static const char *problem_name;

/* What models bring along where the configuration says nothing. */
static const struct {
  const char *model, *signals;
} DEFAULTS[] = {
    {"temperature-sensor",
     "{\"temperature\":{\"shape\":\"sine\",\"mean\":21.5,\"amplitude\":1.5,\"periodUs\":86400000000,\"noise\":0.3,\"decimals\":1},"
     "\"humidity\":{\"shape\":\"random-walk\",\"start\":45,\"step\":0.8,\"min\":25,\"max\":70,\"decimals\":1},"
     "\"battery\":{\"shape\":\"battery\",\"start\":100,\"perDay\":0.1,\"perSample\":0.0001,\"decimals\":2}}"},
    {"shadow-device",
     "{\"temperature\":{\"shape\":\"sine\",\"mean\":21,\"amplitude\":1.5,\"periodUs\":86400000000,\"noise\":0.2,\"decimals\":1},"
     "\"battery\":{\"shape\":\"battery\",\"start\":100,\"perDay\":0.3,\"perSample\":0.0001,\"decimals\":1}}"},
    {"ota-device",
     "{\"battery\":{\"shape\":\"battery\",\"start\":100,\"perDay\":1.5,\"perSample\":0.001,\"decimals\":1},"
     "\"rssi\":{\"shape\":\"random-walk\",\"start\":-78,\"step\":3,\"min\":-110,\"max\":-55,\"decimals\":0}}"},
};

static bool fails(const char *name) {
  problem_name = name;
  return false;
}

/* Decodes into the pool; NULL when it is no text or the pool is full. */
static const char *keep_text(json_value value) {
  char *text = texts + texts_used;
  const int length = json_text(value, text, sizeof texts - texts_used);
  if (length < 0) return NULL;
  texts_used += (size_t)length + 1;
  return text;
}

static bool read_number(json_value object, const char *name, int64_t least, int64_t most, int64_t *number) {
  const json_value value = json_member(object, name);
  if (!json_is_present(value)) return true;
  double read;
  if (!json_number(value, &read) || read < (double)least || read > (double)most) return fails(name);
  *number = number_to_i64(read);
  return true;
}

static const int64_t LONGEST_US = (int64_t)1 << 52;

static bool read_will(json_value will) {
  member.mqtt.has_will = json_is_object(will);
  if (!member.mqtt.has_will) return true;
  int64_t qos = 0, delay_s = 0;
  member.mqtt.will.topic = keep_text(json_member(will, "topic"));
  member.mqtt.will.payload = keep_text(json_member(will, "payload"));
  if (member.mqtt.will.topic == NULL || member.mqtt.will.payload == NULL) return fails("will");
  if (!read_number(will, "qos", 0, 1, &qos) || !read_number(will, "delayS", 0, UINT32_MAX, &delay_s)) return false;
  member.mqtt.will.qos = (uint8_t)qos;
  member.mqtt.will.delay_s = (uint32_t)delay_s;
  member.mqtt.will.retain = json_is_true(json_member(will, "retain"));
  return true;
}

static bool read_mqtt(json_value mqtt) {
  int64_t version = 5, keep_alive_s = 60, expiry_s = 0, receive_maximum = 16, publish_retry_us = 0;
  if (!read_number(mqtt, "version", 4, 5, &version) || !read_number(mqtt, "keepAliveS", 0, 65535, &keep_alive_s) ||
      !read_number(mqtt, "sessionExpiryS", 0, UINT32_MAX, &expiry_s) || !read_number(mqtt, "receiveMaximum", 1, 65535, &receive_maximum) ||
      !read_number(mqtt, "publishRetryUs", 1, LONGEST_US, &publish_retry_us))
    return false;
  member.mqtt.version = (uint8_t)version;
  member.mqtt.keep_alive_s = (uint16_t)keep_alive_s;
  member.mqtt.session_expiry_s = (uint32_t)expiry_s;
  member.mqtt.receive_maximum = (uint16_t)receive_maximum;
  member.mqtt.publish_retry_us = publish_retry_us;
  member.mqtt.clean_start = json_is_true(json_member(mqtt, "cleanStart"));
  member.mqtt.username = keep_text(json_member(mqtt, "username"));
  member.mqtt.password = keep_text(json_member(mqtt, "password"));
  return read_will(json_member(mqtt, "will"));
}

static bool read_reconnect(json_value reconnect) {
  static const char *const POLICIES[] = {"none", "constant", "exponential", "equal-jitter", "full-jitter", "decorrelated"};
  reconnect_plan plan = {POLICY_FULL_JITTER, 1000000, 60000000, 10000000};
  const json_value policy = json_member(reconnect, "policy");
  for (int i = 0; json_is_present(policy); i += 1) {
    if (i > POLICY_DECORRELATED) return fails("policy");
    plan.policy = (reconnect_policy)i;
    if (json_text_is(policy, POLICIES[i])) break;
  }
  if (!read_number(reconnect, "baseUs", 0, LONGEST_US, &plan.base_us) || !read_number(reconnect, "capUs", 0, LONGEST_US, &plan.cap_us) ||
      !read_number(reconnect, "resetAfterUs", 0, LONGEST_US, &plan.reset_after_us))
    return false;
  member.reconnect = plan;
  return true;
}

static bool read_buffer(json_value buffer) {
  int64_t capacity = 100;
  if (!read_number(buffer, "capacity", 0, UINT32_MAX, &capacity)) return false;
  member.buffer.capacity = (uint32_t)capacity;
  member.buffer.drops_newest = json_text_is(json_member(buffer, "overflow"), "drop-newest");
  return true;
}

static bool read_stream(json_value value, member_stream *stream) {
  int64_t number = 0, qos = 0, every_us = 0, offset_us = 0;
  if (!read_number(value, "s", 0, INT32_MAX, &number) || !read_number(value, "qos", 0, 1, &qos) ||
      !read_number(value, "everyUs", 1, LONGEST_US, &every_us) || !read_number(value, "offsetUs", 0, LONGEST_US, &offset_us))
    return false;
  const char *tag = keep_text(json_member(value, "tag"));
  *stream = (member_stream){.number = (int32_t)number, .tag = tag == NULL ? "" : tag, .topic = keep_text(json_member(value, "topic")),
                            .payload = keep_text(json_member(value, "payload")), .every_us = every_us, .offset_us = offset_us,
                            .qos = (uint8_t)qos, .retain = json_is_true(json_member(value, "retain"))};
  return every_us > 0 && stream->topic != NULL && stream->payload != NULL ? true : fails("telemetry");
}

static bool read_telemetry(json_value telemetry) {
  json_value name, each;
  json_walk walk = json_walk_of(telemetry);
  while (json_next(&walk, &name, &each)) {
    if (member.stream_count == MEMBER_STREAMS_MAX) return fails("telemetry");
    if (!read_stream(each, &member.streams[member.stream_count])) return false;
    member.stream_count += 1;
  }
  return true;
}

static bool read_signals(json_value signals) {
  json_value name, each;
  for (size_t i = 0; !json_is_present(signals) && i < sizeof DEFAULTS / sizeof DEFAULTS[0]; i += 1) {
    if (strcmp(member.model, DEFAULTS[i].model) == 0) json_parse(DEFAULTS[i].signals, strlen(DEFAULTS[i].signals), &signals);
  }
  json_walk walk = json_walk_of(signals);
  while (json_next(&walk, &name, &each)) {
    const char *text = keep_text(name);
    if (member.signal_count == MEMBER_SIGNALS_MAX || text == NULL || !json_is_object(each)) return fails("signals");
    member.signals[member.signal_count++] = (member_signal){text, each};
  }
  return true;
}

static bool read_settings(json_value root) {
  static const distribution APPLY_TIME = {DIST_UNIFORM, 200000, 1500000, {NULL, 0}};
  static const distribution EXECUTION_TIME = {DIST_UNIFORM, 60e6, 180e6, {NULL, 0}};
  const json_value shadow = json_member(root, "shadow"), ota = json_member(root, "ota");
  int64_t block_bytes = 16384;
  member.has_shadow = json_is_object(shadow);
  member.shadow_name = keep_text(json_member(shadow, "name"));
  member.apply_time = distribution_of(json_member(shadow, "applyTime"), APPLY_TIME);
  member.execution_time = distribution_of(json_member(ota, "executionTime"), EXECUTION_TIME);
  if (!read_number(ota, "blockBytes", 1, 131072, &block_bytes)) return false;
  member.block_bytes = (uint32_t)block_bytes;
  return true;
}

static bool read_all(json_value root) {
  int64_t seed = 0, connect_at_us = 0;
  if (json_text(json_member(root, "thing"), member.thing, sizeof member.thing) < 1) return fails("thing");
  if (!read_number(root, "seed", 0, LONGEST_US, &seed) || !read_number(root, "connectAtUs", 0, LONGEST_US, &connect_at_us)) return false;
  member.seed = (uint64_t)seed;
  member.connect_at_us = connect_at_us;
  member.model = keep_text(json_member(root, "model"));
  if (member.model == NULL) return fails("model");
  member.path = json_text_is(json_member(root, "path"), "direct") ? NETWORK_DIRECT : NETWORK_BRIDGE;
  const char *key = keep_text(json_member(root, "traceKey"));
  member.trace_key = key == NULL ? "fleetrig" : key;
  const json_value firmware = json_member(json_member(root, "attributes"), "firmware");
  const char *version = keep_text(firmware);
  member.firmware = version == NULL ? "0.0.0" : version;
  return read_mqtt(json_member(root, "mqtt")) && read_reconnect(json_member(root, "reconnect")) && read_buffer(json_member(root, "buffer")) &&
         read_telemetry(json_member(root, "telemetry")) && read_signals(json_member(root, "signals")) && read_settings(root);
}

bool member_read(const char *text, size_t length, const char **problem) {
  json_value root;
  member = (member_plan){0};
  texts_used = 0;
  problem_name = "args";
  bool is_good = length > 0 && length <= sizeof source;
  if (is_good) memmove(source, text, length);
  is_good = is_good && json_parse(source, length, &root) && json_is_object(root) && read_all(root);
  if (!is_good) {
    *problem = problem_name;
    member = (member_plan){0};
  }
  return is_good;
}

bool member_is_configured(void) { return member.thing[0] != 0; }

int64_t run_us(uint64_t now_us) { return (int64_t)now_us - origin_us; }

int64_t wall_ms(uint64_t now_us) {
  const int64_t from_us = memory->has_wall_clock ? memory->wall_at_origin_us : 0;
  return (from_us + run_us(now_us)) / 1000;
}

void wall_set(int64_t wall_at_us, int64_t at_us) {
  memory->wall_at_origin_us = wall_at_us - (at_us - origin_us);
  memory->has_wall_clock = true;
}

#include "measurement.h"

#include <unistd.h>

#include "outcome.h"

enum { NS_PER_MS = 1000000, PACKET_IDS = 65535 };

void check_sequence(struct sequence_check *check, uint64_t *expected, uint64_t sequence) {
  if (sequence < *expected) {
    check->repeated++;
    return;
  }
  check->missing += sequence - *expected;
  *expected = sequence + 1;
}

void require_complete(const struct sequence_check *check) {
  if (check->missing + check->repeated > 0)
    fail("%llu messages were missing, %llu repeated or out of order", (unsigned long long)check->missing,
         (unsigned long long)check->repeated);
}

struct measurement begin_measurement(const struct options *options) {
  return (struct measurement){.phase = WARMING, .next_ns = now_ns() + (uint64_t)options->warm_ms * NS_PER_MS};
}

void update_measurement(struct measurement *measurement, const struct options *options, uint64_t deliveries) {
  uint64_t now = now_ns();
  if (measurement->phase == DRAINING || now < measurement->next_ns) return;
  if (measurement->phase == WARMING) {
    measurement->phase = MEASURING;
    measurement->began_ns = now;
    measurement->next_ns = now + (uint64_t)options->ms * NS_PER_MS;
    measurement->deliveries_at_begin = deliveries;
    measurement->cpu_s = -process_cpu_s(options->pid);
    measurement->load_cpu_s = -process_cpu_s(getpid());
    return;
  }
  measurement->phase = DRAINING;
  measurement->ended_ns = now;
  measurement->deliveries = deliveries - measurement->deliveries_at_begin;
  measurement->cpu_s += process_cpu_s(options->pid);
  measurement->load_cpu_s += process_cpu_s(getpid());
}

void report_measurement(const struct measurement *measurement) {
  double seconds = (double)(measurement->ended_ns - measurement->began_ns) / 1e9;
  double deliveries = (double)measurement->deliveries;
  if (deliveries == 0) fail("nothing was delivered");
  report("perSecond", deliveries / seconds);
  report("cpuUsPerDelivery", measurement->cpu_s * 1e6 / deliveries);
  report("cpuShare", measurement->cpu_s / seconds);
  report("loadCpuShare", measurement->load_cpu_s / seconds);
}

static uint16_t packet_id_of(uint64_t sequence) { return (uint16_t)(sequence % PACKET_IDS + 1); }

void publish(struct publisher *publisher, int qos, uint64_t at_ns) {
  struct client *client = publisher->client;
  struct stamp stamp = {.sequence = publisher->sent, .at_ns = at_ns, .source = client->ordinal};
  uint8_t *to = output_room(client, PACKET_BYTES_MAX);
  client->out_bytes +=
      write_publish(to, publisher->topic, qos == 0 ? 0 : packet_id_of(publisher->sent), &stamp);
  publisher->sent++;
}

void acknowledge(struct publisher *publisher, uint16_t packet_id) {
  if (packet_id != packet_id_of(publisher->acknowledged))
    fail("publisher %u got the acknowledgement of another message", publisher->client->ordinal);
  publisher->acknowledged++;
}

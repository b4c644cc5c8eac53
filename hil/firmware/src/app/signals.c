#include "signals.h"

#include <string.h>

#include "hal.h"
#include "member.h"
#include "number.h"
#include "prng.h"

typedef enum { CONSTANT, SINE, RANDOM_WALK, SAWTOOTH, REPLAY, BATTERY } shape;
enum { ADC_CHANNELS = 10, DEFAULT_DECIMALS = 2 };

typedef struct {
  shape kind;
  int decimals;
  double a, b, c, d; /* see read_shape */
  json_value values;
  prng noise;
  double value, rounded;
  int64_t samples, sampled_at_us;
  bool is_ramped;
  double ramp_from, ramp_to;
  int64_t ramp_start_us, ramp_over_us;
} signal_memory;

static signal_memory signals[MEMBER_SIGNALS_MAX];
static struct {
  bool is_set;
  double millivolts;
} adc[ADC_CHANNELS];

static const double TWO_PI = 6.28318530717958647692, US_PER_DAY = 86400e6;

/* The parameters of each shape, in the order of a to d. */
static const struct {
  const char *name, *parameters[4];
} SHAPES[] = {
    [CONSTANT] = {"constant", {"value", "", "", ""}},        [SINE] = {"sine", {"mean", "amplitude", "periodUs", "noise"}},
    [RANDOM_WALK] = {"random-walk", {"start", "step", "min", "max"}}, [SAWTOOTH] = {"sawtooth", {"min", "max", "periodUs", ""}},
    [REPLAY] = {"replay", {"everyUs", "", "", ""}},          [BATTERY] = {"battery", {"start", "perDay", "perSample", ""}},
};

static void read_shape(json_value spec, signal_memory *signal) {
  const json_value name = json_member(spec, "shape");
  for (int kind = CONSTANT; kind <= BATTERY; kind += 1) {
    if (json_text_is(name, SHAPES[kind].name)) signal->kind = (shape)kind;
  }
  double *const parameters[] = {&signal->a, &signal->b, &signal->c, &signal->d};
  for (int i = 0; i < 4; i += 1) *parameters[i] = json_number_or(json_member(spec, SHAPES[signal->kind].parameters[i]), 0);
  signal->values = json_member(spec, "values");
  signal->decimals = (int)json_integer_or(json_member(spec, "decimals"), DEFAULT_DECIMALS);
  if (signal->decimals < 0 || signal->decimals > 9) signal->decimals = DEFAULT_DECIMALS;
}

void signals_start(void) {
  memset(adc, 0, sizeof adc);
  for (size_t i = 0; i < member.signal_count; i += 1) {
    signals[i] = (signal_memory){.sampled_at_us = INT64_MIN};
    read_shape(member.signals[i].spec, &signals[i]);
    /* A restart must not repeat the noise of the run before it. */
    signals[i].noise = prng_stream(member.seed ^ (uint64_t)memory->elapsed_us << 20, member.signals[i].name);
  }
}

static double modulo(double value, double by) { return by > 0 ? value - by * number_floor(value / by) : 0; }

static double replayed(const signal_memory *signal, int64_t now_us) {
  json_value name, each;
  int64_t count = 0;
  json_walk walk = json_walk_of(signal->values);
  while (json_next(&walk, &name, &each)) count += 1;
  if (count == 0 || !(signal->a > 0)) return 0;
  const int64_t wanted = number_to_i64(modulo(number_floor((double)now_us / signal->a), (double)count));
  walk = json_walk_of(signal->values);
  for (int64_t i = 0; json_next(&walk, &name, &each); i += 1) {
    if (i == wanted) return json_number_or(each, 0);
  }
  return 0;
}

/* Each step moves by at most `b`; the walls reflect, so values do not stick to them. */
static double walked(signal_memory *signal) {
  if (signal->samples == 0) return signal->a;
  const double to = signal->value + prng_between(&signal->noise, -signal->b, signal->b), least = signal->c, most = signal->d;
  const double inside = to < least ? 2 * least - to : to > most ? 2 * most - to : to;
  return inside < least ? least : inside > most ? most : inside;
}

static double by_shape(signal_memory *signal, int64_t now_us) {
  const double now = (double)now_us;
  switch (signal->kind) {
    case CONSTANT: return signal->a;
    case SINE: {
      const double smooth = signal->c > 0 ? signal->a + signal->b * number_sine(TWO_PI * modulo(now, signal->c) / signal->c) : signal->a;
      return signal->d > 0 ? smooth + signal->d * prng_normal(&signal->noise) : smooth;
    }
    case RANDOM_WALK: return walked(signal);
    case SAWTOOTH: return signal->c > 0 ? signal->a + (signal->b - signal->a) * modulo(now, signal->c) / signal->c : signal->a;
    case REPLAY: return replayed(signal, now_us);
    case BATTERY: {
      const double charge = signal->a - signal->b * now / US_PER_DAY - signal->c * (double)signal->samples;
      return charge > 0 ? charge : 0;
    }
  }
  return 0;
}

static double along_ramp(const signal_memory *signal, int64_t now_us) {
  const int64_t elapsed_us = now_us - signal->ramp_start_us;
  if (elapsed_us >= signal->ramp_over_us) return signal->ramp_to;
  return signal->ramp_from + (signal->ramp_to - signal->ramp_from) * (double)elapsed_us / (double)signal->ramp_over_us;
}

static double sample(signal_memory *signal, int64_t now_us) {
  if (now_us == signal->sampled_at_us) return signal->rounded;
  signal->value = signal->is_ramped ? along_ramp(signal, now_us) : by_shape(signal, now_us);
  signal->samples += 1;
  signal->sampled_at_us = now_us;
  const double scale = number_power_of_ten(signal->decimals);
  signal->rounded = number_round(signal->value * scale) / scale;
  return signal->rounded;
}

static signal_memory *find(const char *name, size_t length) {
  for (size_t i = 0; i < member.signal_count; i += 1) {
    if (strlen(member.signals[i].name) == length && memcmp(member.signals[i].name, name, length) == 0) return &signals[i];
  }
  return NULL;
}

/* `adc0` to `adc9`; -1 for anything else. */
static int channel_of(const char *name, size_t length) {
  return length == 4 && memcmp(name, "adc", 3) == 0 && name[3] >= '0' && name[3] <= '9' ? name[3] - '0' : -1;
}

bool signals_sample(const char *name, size_t length, int64_t now_us, double *value, int *decimals) {
  const int channel = channel_of(name, length);
  signal_memory *signal = find(name, length);
  if (channel >= 0 && (signal == NULL || adc[channel].is_set)) {
    const int measured = hal_adc_millivolts(channel);
    if (!adc[channel].is_set && measured < 0) return false;
    *value = adc[channel].is_set ? adc[channel].millivolts : measured;
    *decimals = 3;
    return true;
  }
  if (signal == NULL) return false;
  *value = sample(signal, now_us);
  *decimals = signal->decimals;
  return true;
}

bool signals_move(const char *name, double to, int64_t over_us, int64_t now_us) {
  const size_t length = strlen(name);
  signal_memory *signal = find(name, length);
  if (signal == NULL) return channel_of(name, length) >= 0 && signals_set_adc(channel_of(name, length), to);
  signal->ramp_from = signal->is_ramped ? along_ramp(signal, now_us) : sample(signal, now_us);
  signal->ramp_to = to;
  signal->ramp_start_us = now_us;
  signal->ramp_over_us = over_us;
  signal->is_ramped = true;
  signal->sampled_at_us = INT64_MIN;
  return true;
}

bool signals_set_adc(int channel, double millivolts) {
  if (channel < 0 || channel >= ADC_CHANNELS) return false;
  adc[channel].is_set = true;
  adc[channel].millivolts = millivolts;
  return true;
}

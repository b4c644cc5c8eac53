#include "connection.h"
#include "number.h"

/* Attempts beyond this do not raise the exponent: 2^52 µs is 142 years. */
enum { EXPONENT_MAX = 52 };

int64_t reconnect_delay_us(const reconnect_plan *plan, uint32_t attempt, int64_t previous_us, double fraction) {
  const double base = (double)plan->base_us, cap = (double)plan->cap_us;
  const uint32_t exponent = attempt < EXPONENT_MAX ? attempt : EXPONENT_MAX;
  const double grown = base * (double)(1ull << exponent), ceiling = grown < cap ? grown : cap;
  double delay = ceiling;
  switch (plan->policy) {
    case POLICY_NONE: return -1;
    case POLICY_CONSTANT: return plan->base_us;
    case POLICY_EXPONENTIAL: break;
    case POLICY_EQUAL_JITTER: delay = ceiling / 2 + fraction * (ceiling / 2); break;
    case POLICY_FULL_JITTER: delay = fraction * ceiling; break;
    case POLICY_DECORRELATED: {
      const double most = 3 * (double)previous_us > base ? 3 * (double)previous_us : base;
      delay = base + fraction * (most - base);
      if (delay > cap) delay = cap;
      break;
    }
  }
  return number_to_i64(number_round(delay));
}

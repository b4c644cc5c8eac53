#ifndef STUB_ESP_SLEEP_H
#define STUB_ESP_SLEEP_H

#include "esp_err.h"
#include <stdint.h>
esp_err_t esp_sleep_enable_timer_wakeup(uint64_t us);
void esp_deep_sleep_start(void) __attribute__((noreturn));

#endif

#ifndef STUB_ESP_EVENT_H
#define STUB_ESP_EVENT_H

#include "esp_err.h"
#include <stdint.h>
typedef const char *esp_event_base_t;
#define ESP_EVENT_ANY_ID (-1)
esp_err_t esp_event_loop_create_default(void);
esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, void (*handler)(void *, esp_event_base_t, int32_t, void *), void *argument);

#endif

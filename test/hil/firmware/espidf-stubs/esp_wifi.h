#ifndef STUB_ESP_WIFI_H
#define STUB_ESP_WIFI_H

#include "esp_event.h"
extern esp_event_base_t const WIFI_EVENT;
enum { WIFI_EVENT_STA_START = 2, WIFI_EVENT_STA_DISCONNECTED = 5 };
typedef struct {
  int magic;
} wifi_init_config_t;
#define WIFI_INIT_CONFIG_DEFAULT() {.magic = 0x1f2f3f4f}
typedef union {
  struct {
    uint8_t ssid[32], password[64];
  } sta;
} wifi_config_t;
enum { WIFI_MODE_STA = 1, WIFI_IF_STA = 0 };
esp_err_t esp_wifi_init(const wifi_init_config_t *config);
esp_err_t esp_wifi_set_mode(int mode);
esp_err_t esp_wifi_set_config(int interface, wifi_config_t *config);
esp_err_t esp_wifi_start(void);
esp_err_t esp_wifi_connect(void);

#endif

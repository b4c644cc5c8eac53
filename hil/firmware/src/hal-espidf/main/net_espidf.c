/* Path `direct` by esp-tls, over the Wi-Fi station that menuconfig names. */
#include "hal.h"

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_tls.h"
#include "esp_wifi.h"
#include "sdkconfig.h"

#include <stdio.h>
#include <string.h>

static struct {
  esp_tls_t *tls;
  esp_tls_cfg_t config;
  char host[128];
  uint16_t port;
  hal_net_state state;
  bool is_on_air;
  char error[96];
} net;

static void on_event(void *unused, esp_event_base_t base, int32_t id, void *details) {
  (void)unused;
  (void)details;
  if (base == WIFI_EVENT && (id == WIFI_EVENT_STA_START || id == WIFI_EVENT_STA_DISCONNECTED)) {
    net.is_on_air = false;
    esp_wifi_connect();
  } else if (base == IP_EVENT && id == IP_EVENT_STA_GOT_IP) {
    net.is_on_air = true;
  }
}

void net_start(void);
void net_start(void) {
  if (CONFIG_FLEETRIG_WIFI_SSID[0] == 0) {
    return;
  }
  wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
  wifi_config_t station = {0};
  strncpy((char *)station.sta.ssid, CONFIG_FLEETRIG_WIFI_SSID, sizeof station.sta.ssid);
  strncpy((char *)station.sta.password, CONFIG_FLEETRIG_WIFI_PASSWORD, sizeof station.sta.password);
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  esp_netif_create_default_wifi_sta();
  ESP_ERROR_CHECK(esp_wifi_init(&init));
  ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL));
  ESP_ERROR_CHECK(esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_event, NULL));
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
  ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &station));
  ESP_ERROR_CHECK(esp_wifi_start());
}

bool hal_net_available(void) { return CONFIG_FLEETRIG_WIFI_SSID[0] != 0; }

const char *hal_net_error(void) { return net.error; }

static void fail(hal_net_state state, const char *why) {
  snprintf(net.error, sizeof net.error, "%s", why);
  net.state = state;
}

static unsigned length_with_end(const char *pem) { return pem == NULL ? 0 : (unsigned)strlen(pem) + 1; }

bool hal_net_open(const hal_net_target *target) {
  hal_net_close(false);
  net.tls = esp_tls_init();
  if (net.tls == NULL || !net.is_on_air) {
    fail(HAL_NET_REFUSED, net.tls == NULL ? "no memory" : "no network");
    return false;
  }
  net.config = (esp_tls_cfg_t){.non_block = true, .is_plain_tcp = target->server_name == NULL, .timeout_ms = 10000};
  if (target->server_name != NULL) {
    net.config.common_name = target->server_name;
    net.config.cacert_buf = (const unsigned char *)target->ca_pem;
    net.config.cacert_bytes = length_with_end(target->ca_pem);
    net.config.clientcert_buf = (const unsigned char *)target->cert_pem;
    net.config.clientcert_bytes = length_with_end(target->cert_pem);
    net.config.clientkey_buf = (const unsigned char *)target->key_pem;
    net.config.clientkey_bytes = length_with_end(target->key_pem);
  }
  snprintf(net.host, sizeof net.host, "%s", target->host);
  net.port = target->port;
  net.state = HAL_NET_OPENING;
  return true;
}

hal_net_state hal_net_poll(void) {
  if (net.state != HAL_NET_OPENING) {
    return net.state;
  }
  int result = esp_tls_conn_new_async(net.host, (int)strlen(net.host), net.port, &net.config, net.tls);
  if (result == 1) {
    net.state = HAL_NET_UP;
  } else if (result < 0) {
    fail(HAL_NET_REFUSED, "connection or handshake failed");
  }
  return net.state;
}

static size_t transferred(ssize_t count) {
  if (count > 0) {
    return (size_t)count;
  }
  if (count != ESP_TLS_ERR_SSL_WANT_READ && count != ESP_TLS_ERR_SSL_WANT_WRITE) {
    fail(HAL_NET_LOST, count == 0 ? "closed by the other side" : "connection lost");
  }
  return 0;
}

size_t hal_net_read(uint8_t *bytes, size_t capacity) {
  return net.state == HAL_NET_UP && capacity > 0 ? transferred(esp_tls_conn_read(net.tls, bytes, capacity)) : 0;
}

size_t hal_net_write(const uint8_t *bytes, size_t length) {
  return net.state == HAL_NET_UP && length > 0 ? transferred(esp_tls_conn_write(net.tls, bytes, length)) : 0;
}

/* esp-tls has no way to abort: both ends are in order. */
void hal_net_close(bool in_order) {
  (void)in_order;
  if (net.tls != NULL) {
    esp_tls_conn_destroy(net.tls);
  }
  net.tls = NULL;
  net.state = HAL_NET_DOWN;
}

#ifndef STUB_ESP_TLS_H
#define STUB_ESP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
typedef struct esp_tls esp_tls_t;
#define ESP_TLS_ERR_SSL_WANT_READ (-0x6900)
#define ESP_TLS_ERR_SSL_WANT_WRITE (-0x6880)
typedef struct {
  const unsigned char *cacert_buf;
  unsigned cacert_bytes;
  const unsigned char *clientcert_buf;
  unsigned clientcert_bytes;
  const unsigned char *clientkey_buf;
  unsigned clientkey_bytes;
  bool non_block, is_plain_tcp;
  int timeout_ms;
  const char *common_name;
} esp_tls_cfg_t;
esp_tls_t *esp_tls_init(void);
int esp_tls_conn_new_async(const char *host, int length, int port, const esp_tls_cfg_t *config, esp_tls_t *tls);
ssize_t esp_tls_conn_read(esp_tls_t *tls, void *bytes, size_t length);
ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *bytes, size_t length);
int esp_tls_conn_destroy(esp_tls_t *tls);

#endif

#include "net_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if !__has_include(<openssl/ssl.h>)

bool net_tls_begin(const hal_net_target *target, int descriptor, char *error, size_t capacity) {
  (void)target;
  (void)descriptor;
  snprintf(error, capacity, "%s", "this build has no TLS: OpenSSL's headers were missing");
  return false;
}

net_tls_result net_tls_handshake(char *error, size_t capacity) {
  (void)error;
  (void)capacity;
  return NET_TLS_FAILED;
}

long net_tls_read(uint8_t *bytes, size_t capacity, char *error, size_t error_capacity) {
  (void)bytes;
  (void)capacity;
  (void)error;
  (void)error_capacity;
  return 0;
}

long net_tls_write(const uint8_t *bytes, size_t length, char *error, size_t error_capacity) {
  (void)bytes;
  (void)length;
  (void)error;
  (void)error_capacity;
  return 0;
}

void net_tls_end(bool in_order) { (void)in_order; }

#else

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* Of TLS 1.2: what AWS IoT speaks and recommends. Those of 1.3 it speaks all. */
static const char SUITES[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

static SSL_CTX *context;
static SSL *tls;

/* The reason that helps: of the certificate's check if it failed, else the library's first error. */
static void explain(char *error, size_t capacity) {
  unsigned long code = ERR_get_error();
  long verified = tls != NULL ? SSL_get_verify_result(tls) : X509_V_OK;
  if (verified != X509_V_OK) {
    snprintf(error, capacity, "certificate: %s", X509_verify_cert_error_string(verified));
  } else if (code != 0) {
    const char *reason = ERR_reason_error_string(code);
    snprintf(error, capacity, "tls: %s", reason != NULL ? reason : "unknown error");
  } else {
    snprintf(error, capacity, "%s", "tls: closed by the other side");
  }
  ERR_clear_error();
}

static bool add_authorities(const char *pem) {
  BIO *text = BIO_new_mem_buf(pem, -1);
  X509 *certificate;
  bool is_any = false;
  while (text != NULL && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
    is_any = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 || is_any;
    X509_free(certificate);
  }
  BIO_free(text);
  ERR_clear_error(); /* the end of the list is reported as an error */
  return is_any;
}

static bool use_identity(const char *certificates_pem, const char *key_pem) {
  BIO *text = BIO_new_mem_buf(certificates_pem, -1), *key_text = BIO_new_mem_buf(key_pem, -1);
  X509 *certificate = text != NULL ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
  EVP_PKEY *key = key_text != NULL ? PEM_read_bio_PrivateKey(key_text, NULL, NULL, NULL) : NULL;
  bool is_used = certificate != NULL && key != NULL && SSL_CTX_use_certificate(context, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key) == 1;
  X509 *issuer;
  while (is_used && (issuer = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
    SSL_CTX_add_extra_chain_cert(context, issuer); /* takes it over */
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(text);
  BIO_free(key_text);
  if (is_used) {
    ERR_clear_error();
  }
  return is_used;
}

static bool set_server_name(const char *name) {
  uint8_t address[16];
  SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name) == 1; /* addresses are no SNI */
  }
  return SSL_set_tlsext_host_name(tls, name) == 1 && SSL_set1_host(tls, name) == 1;
}

bool net_tls_begin(const hal_net_target *target, int descriptor, char *error, size_t capacity) {
  net_tls_end(false);
  context = SSL_CTX_new(TLS_client_method());
  bool is_ready = context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_cipher_list(context, SUITES) == 1;
  if (is_ready && (target->ca_pem == NULL || !add_authorities(target->ca_pem))) {
    snprintf(error, capacity, "%s", "tls: no usable certificate authority");
    return false;
  }
  is_ready = is_ready && (target->cert_pem == NULL || target->key_pem == NULL || use_identity(target->cert_pem, target->key_pem));
  if (is_ready) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    tls = SSL_new(context);
    is_ready = tls != NULL && set_server_name(target->server_name) && SSL_set_fd(tls, descriptor) == 1;
  }
  if (!is_ready) {
    explain(error, capacity);
  }
  return is_ready;
}

net_tls_result net_tls_handshake(char *error, size_t capacity) {
  ERR_clear_error();
  int result = SSL_connect(tls);
  if (result == 1) {
    return NET_TLS_DONE;
  }
  int reason = SSL_get_error(tls, result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    return reason == SSL_ERROR_WANT_READ ? NET_TLS_WANTS_READ : NET_TLS_WANTS_WRITE;
  }
  explain(error, capacity);
  return NET_TLS_FAILED;
}

static long outcome(int result, char *error, size_t capacity) {
  if (result > 0) {
    return result;
  }
  int reason = SSL_get_error(tls, result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  if (reason != SSL_ERROR_ZERO_RETURN) {
    explain(error, capacity);
  }
  return 0;
}

long net_tls_read(uint8_t *bytes, size_t capacity, char *error, size_t error_capacity) {
  ERR_clear_error();
  return outcome(SSL_read(tls, bytes, capacity < 16384 ? (int)capacity : 16384), error, error_capacity);
}

long net_tls_write(const uint8_t *bytes, size_t length, char *error, size_t error_capacity) {
  ERR_clear_error();
  return outcome(SSL_write(tls, bytes, length < 16384 ? (int)length : 16384), error, error_capacity);
}

void net_tls_end(bool in_order) {
  if (tls != NULL && in_order) {
    SSL_shutdown(tls);
  }
  SSL_free(tls);
  SSL_CTX_free(context);
  tls = NULL;
  context = NULL;
}

#endif

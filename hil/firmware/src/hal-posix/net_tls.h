/* TLS over a socket that never waits. Builds without OpenSSL's headers refuse it. */
#ifndef FLEETRIG_NET_TLS_H
#define FLEETRIG_NET_TLS_H

#include "hal.h"

typedef enum { NET_TLS_DONE, NET_TLS_WANTS_READ, NET_TLS_WANTS_WRITE, NET_TLS_FAILED } net_tls_result;

bool net_tls_begin(const hal_net_target *target, int descriptor, char *error, size_t capacity);
net_tls_result net_tls_handshake(char *error, size_t capacity);
/* As read and write of a socket: 0 is the end, -1 with errno EAGAIN means later. */
long net_tls_read(uint8_t *bytes, size_t capacity, char *error, size_t error_capacity);
long net_tls_write(const uint8_t *bytes, size_t length, char *error, size_t error_capacity);
void net_tls_end(bool in_order);

#endif

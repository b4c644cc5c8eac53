/* Path `direct` of a process: one TCP or TLS connection that never waits. Name resolution is the exception: the C library has no other. */
#define _GNU_SOURCE
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_tls.h"

static struct {
  int descriptor;
  bool is_tls, wants_write;
  hal_net_state state;
  char error[160];
} net = {.descriptor = -1};

bool hal_net_available(void) { return true; }

const char *hal_net_error(void) { return net.error; }

int hal_net_descriptor(bool *wants_write) {
  *wants_write = net.wants_write;
  return net.state == HAL_NET_OPENING || net.state == HAL_NET_UP ? net.descriptor : -1;
}

/* `why` NULL: net.error says it already. */
static void fail(hal_net_state state, const char *why) {
  if (why != NULL) {
    snprintf(net.error, sizeof net.error, "%s", why);
  }
  net.state = state;
  net.wants_write = false;
}

static int begin_connect(const hal_net_target *target) {
  char port[8];
  struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  snprintf(port, sizeof port, "%u", (unsigned)target->port);
  if (getaddrinfo(target->host, port, &hints, &found) != 0) {
    errno = EHOSTUNREACH;
    return -1;
  }
  int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  if (descriptor >= 0) {
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
      int reason = errno;
      close(descriptor);
      errno = reason;
      descriptor = -1;
    }
  }
  freeaddrinfo(found);
  return descriptor;
}

bool hal_net_open(const hal_net_target *target) {
  hal_net_close(false);
  net.error[0] = 0;
  net.is_tls = target->server_name != NULL;
  net.descriptor = begin_connect(target);
  if (net.descriptor < 0) {
    fail(HAL_NET_REFUSED, strerror(errno));
    return false;
  }
  if (net.is_tls && !net_tls_begin(target, net.descriptor, net.error, sizeof net.error)) {
    fail(HAL_NET_REFUSED, NULL);
    return false;
  }
  net.state = HAL_NET_OPENING;
  net.wants_write = true;
  return true;
}

/* Whether the TCP connection stands; false while it does not or after it failed. */
static bool is_connected(void) {
  int reason = 0;
  socklen_t length = sizeof reason;
  struct sockaddr_storage peer;
  socklen_t peer_length = sizeof peer;
  getsockopt(net.descriptor, SOL_SOCKET, SO_ERROR, &reason, &length);
  if (reason != 0) {
    fail(HAL_NET_REFUSED, strerror(reason));
    return false;
  }
  return getpeername(net.descriptor, (struct sockaddr *)&peer, &peer_length) == 0;
}

hal_net_state hal_net_poll(void) {
  if (net.state != HAL_NET_OPENING || !is_connected()) {
    return net.state;
  }
  if (net.is_tls) {
    net_tls_result result = net_tls_handshake(net.error, sizeof net.error);
    if (result == NET_TLS_FAILED) {
      fail(HAL_NET_REFUSED, NULL);
      return net.state;
    }
    net.wants_write = result == NET_TLS_WANTS_WRITE;
    if (result != NET_TLS_DONE) {
      return net.state;
    }
  }
  net.wants_write = false;
  net.state = HAL_NET_UP;
  return net.state;
}

/* What read and write of a socket or of TLS returned, as a length. */
static size_t transferred(long count) {
  if (count > 0) {
    return (size_t)count;
  }
  if (count == 0) {
    fail(HAL_NET_LOST, net.error[0] != 0 ? NULL : "closed by the other side");
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(HAL_NET_LOST, net.error[0] != 0 ? NULL : strerror(errno));
  }
  return 0;
}

size_t hal_net_read(uint8_t *bytes, size_t capacity) {
  if (net.state != HAL_NET_UP || capacity == 0) {
    return 0;
  }
  return transferred(net.is_tls ? net_tls_read(bytes, capacity, net.error, sizeof net.error)
                                : (long)recv(net.descriptor, bytes, capacity, 0));
}

size_t hal_net_write(const uint8_t *bytes, size_t length) {
  if (net.state != HAL_NET_UP || length == 0) {
    return 0;
  }
  size_t written = transferred(net.is_tls ? net_tls_write(bytes, length, net.error, sizeof net.error)
                                          : (long)send(net.descriptor, bytes, length, MSG_NOSIGNAL));
  net.wants_write = net.state == HAL_NET_UP && written < length;
  return written;
}

void hal_net_close(bool in_order) {
  if (net.is_tls) {
    net_tls_end(in_order && net.state == HAL_NET_UP);
  }
  if (net.descriptor >= 0) {
    if (!in_order) {
      struct linger abort = {.l_onoff = 1, .l_linger = 0};
      setsockopt(net.descriptor, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }
    close(net.descriptor);
  }
  net.descriptor = -1;
  net.state = HAL_NET_DOWN;
  net.wants_write = net.is_tls = false;
}

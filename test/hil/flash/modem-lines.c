/* Modem lines for pseudo terminals, which have none: preloaded into the process that has the tty open, it keeps DTR and RTS itself and
 * tells whoever listens at the unix socket FLEETRIG_MODEM_LINES of every change: two bytes, DTR and RTS, answered by one when the board has heard. */
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PTS_MAJOR 136
#define LAST_PTS_MAJOR 143
#ifndef TIOCM_DTR
#define TIOCM_DTR 0x002
#define TIOCM_RTS 0x004
#endif

static int lines = TIOCM_DTR | TIOCM_RTS; /* as a driver has them after open */
static int listener = -1;

static int is_pts(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode)) return 0;
  return major(status.st_rdev) >= FIRST_PTS_MAJOR && major(status.st_rdev) <= LAST_PTS_MAJOR;
}

static void tell(void) {
  const char *path = getenv("FLEETRIG_MODEM_LINES");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof address.sun_path) return;
  if (listener < 0) {
    strcpy(address.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || connect(listener, (struct sockaddr *)&address, sizeof address) != 0) return;
  }
  char message[2] = {(lines & TIOCM_DTR) != 0, (lines & TIOCM_RTS) != 0};
  char answer;
  if (write(listener, message, sizeof message) == sizeof message && read(listener, &answer, 1) < 0) listener = -1;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  switch (request) {
  case TIOCMGET: case TIOCMSET: case TIOCMBIS: case TIOCMBIC: case TIOCSBRK: case TIOCCBRK:
    if (is_pts(fd)) break;
    /* fall through */
  default:
    return (int)syscall(SYS_ioctl, fd, request, argument);
  }
  int *bits = argument;
  switch (request) {
  case TIOCMGET: *bits = lines; return 0;
  case TIOCMSET: lines = *bits; break;
  case TIOCMBIS: lines |= *bits; break;
  case TIOCMBIC: lines &= ~*bits; break;
  default: return 0;
  }
  tell();
  return 0;
}

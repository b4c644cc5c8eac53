/*
 * Gives ptys the modem lines of a USB adapter: requests for them, which a pty refuses, are written to the file MODEM_SHIM_LOG instead, one line
 * per request with the new state of DTR and RTS. Loaded into the process of a port with LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define FIRST_PTY_MAJOR 136
#define LAST_PTY_MAJOR 143

static int lines = TIOCM_DTR | TIOCM_RTS;

static int is_pty(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0 || !S_ISCHR(found.st_mode)) return 0;
  return major(found.st_rdev) >= FIRST_PTY_MAJOR && major(found.st_rdev) <= LAST_PTY_MAJOR;
}

static void note(void) {
  const char *path = getenv("MODEM_SHIM_LOG");
  char text[8];
  int length = snprintf(text, sizeof text, "%d%d\n", (lines & TIOCM_DTR) != 0, (lines & TIOCM_RTS) != 0);
  int log = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (log < 0) return;
  if (write(log, text, (size_t)length) < 0) _exit(70);
  close(log);
}

int ioctl(int fd, unsigned long request, ...) {
  static int (*real)(int, unsigned long, ...);
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (real == NULL) real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  if (request == TIOCMGET || request == TIOCMSET || request == TIOCMBIS || request == TIOCMBIC || request == TIOCSBRK ||
      request == TIOCCBRK) {
    const char *wedge = getenv("MODEM_SHIM_WEDGE");
    if (!is_pty(fd)) return real(fd, request, argument);
    if ((request == TIOCSBRK || request == TIOCCBRK) && getenv("MODEM_SHIM_NO_BREAK") != NULL) {
      errno = EOPNOTSUPP;
      return -1;
    }
    if (request == TIOCMGET) *(int *)argument = lines;
    if (request == TIOCMSET) lines = *(int *)argument;
    if (request == TIOCMBIS) lines |= *(int *)argument;
    if (request == TIOCMBIC) lines &= ~*(int *)argument;
    if (request == TIOCMSET || request == TIOCMBIS || request == TIOCMBIC) note();
    /* A driver that does not answer, as soon as RTS is asserted. */
    if (wedge != NULL && (lines & TIOCM_RTS) != 0 && request == TIOCMSET) sleep(600);
    return 0;
  }
  return real(fd, request, argument);
}

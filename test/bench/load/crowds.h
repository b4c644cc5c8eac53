/* Modes about many connections. Each prints its figures and ends the process. */
#ifndef CROWDS_H
#define CROWDS_H

#include "options.h"

/* All `clients` connect, `rounds` times; between rounds all connections are lost at once. */
_Noreturn void run_connect(const struct options *options);
/* `clients` connect, say so with a line of output, and stay until standard input ends. */
_Noreturn void run_hold(const struct options *options);
/* `clients` begin a CONNECT that claims 256 MB and go on with 64 KiB of it unless the broker ends them. */
_Noreturn void run_claim(const struct options *options);
/* `clients` send one byte of CONNECT per second; meanwhile a canary's messages are timed. */
_Noreturn void run_loris(const struct options *options);

#endif

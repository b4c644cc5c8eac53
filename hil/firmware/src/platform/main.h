#ifndef FLEETRIG_MAIN_H
#define FLEETRIG_MAIN_H

/* The firmware, once the machine is set up. */
void firmware_main(void) __attribute__((noreturn));

#endif

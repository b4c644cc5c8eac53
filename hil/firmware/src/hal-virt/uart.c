/* The serial line: input by interrupt into a ring that remembers when bytes came, output as the transmitter takes it
 * (QEMU's hands every byte on at once, and refuses only while nobody reads the other end). */
#include "machine.h"

#define DATA (UART_AT + 0)
#define ENABLE (UART_AT + 1)
#define FIFO (UART_AT + 2)
#define CONTROL (UART_AT + 3)
#define STATUS (UART_AT + 5)
#define HAS_INPUT 0x01
#define HAS_ROOM 0x20
#define IS_IDLE 0x40

#define RING_BYTES 16384u
#define BURSTS 256u
#define PRINT_PATIENCE_US 100000u

static uint8_t ring[RING_BYTES];
/* Counted on without wrapping; the interrupt writes `end` and the newest burst, the firmware the others. */
static volatile uint32_t begin, end;
static volatile struct {
  uint32_t end;
  uint64_t at_us;
} bursts[BURSTS];
static volatile uint32_t burst_begin, burst_end;
static uint64_t arrival_us;

void virt_uart_start(void) {
  *register8(ENABLE) = 0;
  *register8(CONTROL) = 0x80;
  *register8(DATA) = 1; /* divisor: the fastest */
  *register8(ENABLE) = 0;
  *register8(CONTROL) = 0x03; /* 8N1 */
  *register8(FIFO) = 0xc7;    /* on, emptied, interrupt at 14 bytes or after a pause of 4 */
}

void virt_uart_listen(void) {
  *register32(PLIC_AT + 4 * UART_INTERRUPT) = 1;
  *register32(PLIC_AT + 0x2000) = 1u << UART_INTERRUPT;
  *register32(PLIC_AT + 0x200000) = 0;
  *register8(ENABLE) = 1;
}

void virt_uart_interrupt(void) {
  uint32_t at = end;
  while ((*register8(STATUS) & HAS_INPUT) != 0) {
    uint8_t byte = *register8(DATA);
    if (at - begin < RING_BYTES) {
      ring[at++ % RING_BYTES] = byte;
    }
  }
  if (at == end) {
    return;
  }
  if (burst_end - burst_begin < BURSTS) {
    bursts[burst_end % BURSTS].at_us = hal_now_us();
    bursts[burst_end % BURSTS].end = at;
    burst_end = burst_end + 1;
  } else {
    bursts[(burst_end - 1) % BURSTS].end = at;
  }
  end = at;
}

bool virt_uart_has_input(void) { return begin != end; }

void virt_uart_discard(void) {
  while ((*register8(STATUS) & HAS_INPUT) != 0) {
    (void)*register8(DATA);
  }
}

/* At most to the end of a burst, so that its time is the time of what is returned. */
size_t hal_serial_read(uint8_t *bytes, size_t capacity) {
  if (begin == end) {
    return 0;
  }
  uint32_t burst = burst_begin % BURSTS;
  uint32_t until = bursts[burst].end;
  size_t length = until - begin < capacity ? until - begin : capacity;
  for (size_t n = 0; n < length; n++) {
    bytes[n] = ring[(begin + n) % RING_BYTES];
  }
  arrival_us = bursts[burst].at_us;
  /* The interrupt may lengthen the burst just now; then it is not yet used up. */
  __asm__ volatile("csrci mstatus, 8" ::: "memory");
  begin = begin + (uint32_t)length;
  if (begin == bursts[burst].end) {
    burst_begin = burst_begin + 1;
  }
  __asm__ volatile("csrsi mstatus, 8" ::: "memory");
  return length;
}

uint64_t hal_serial_arrival_us(void) { return arrival_us; }

size_t hal_serial_write(const uint8_t *bytes, size_t length) {
  size_t written = 0;
  while (written < length && (*register8(STATUS) & HAS_ROOM) != 0) {
    *register8(DATA) = bytes[written++];
  }
  return written;
}

bool hal_serial_is_idle(void) { return (*register8(STATUS) & IS_IDLE) != 0; }

void virt_print(const char *text) {
  uint64_t until = virt_ticks() + (uint64_t)PRINT_PATIENCE_US * TICKS_PER_US;
  for (; *text != 0; text++) {
    while ((*register8(STATUS) & HAS_ROOM) == 0) {
      if (virt_ticks() > until) {
        return;
      }
    }
    *register8(DATA) = (uint8_t)*text;
  }
}

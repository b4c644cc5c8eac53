# The smallest board: says that it has booted, and how often since the power came; then answers every byte with itself.
# RAM behind the program keeps the count over resets, as nothing is loaded there.
.equ UART, 0x10000000
.globl _start
_start:
  li t0, UART
  la t1, greeting
1: lbu a0, 0(t1)
  beqz a0, 2f
  sb a0, 0(t0)
  addi t1, t1, 1
  j 1b
2: li t2, 0x80400000
  lbu a0, 0(t2)
  addi a0, a0, 1
  sb a0, 0(t2)
  addi a0, a0, 'a' - 1
  sb a0, 0(t0)
  li a0, '\n'
  sb a0, 0(t0)
  # Sleeps until the UART has a byte: interrupts wake the processor, but are not taken.
  li t3, 0x0c000000
  li t4, 1
  sw t4, 40(t3)
  li t5, 0x0c002000
  li t6, 1 << 10
  sw t6, 0(t5)
  li t5, 0x0c200000
  sw zero, 0(t5)
  sb t4, 1(t0)
  li t6, 1 << 11
  csrw mie, t6
3: lbu a0, 5(t0)
  andi a0, a0, 1
  bnez a0, 4f
  lw a1, 4(t5)
  sw a1, 4(t5)
  lbu a0, 5(t0)
  andi a0, a0, 1
  bnez a0, 4f
  wfi
  j 3b
4: lbu a0, 0(t0)
  sb a0, 0(t0)
  j 3b
greeting: .asciz "boot "

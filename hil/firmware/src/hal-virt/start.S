# Entry of the image and of the boot loader, and the way into and out of traps.

#ifndef FLEETRIG_LOADER
  # boot_image, filled in when the image is made
  .section .header, "a"
  .zero 128
#endif

  .section .text.start, "ax"
  .globl _start
_start:
  csrw mie, zero
  csrci mstatus, 8
  la sp, stack_top
  la t0, bss_begin
  la t1, bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
#ifndef FLEETRIG_LOADER
  la t0, trap_entry
  csrw mtvec, t0
  la t0, trap_stack_top
  csrw mscratch, t0
#endif
  call virt_main
3:
  wfi
  j 3b

#ifndef FLEETRIG_LOADER
  # Traps run on a stack of their own: the interrupted one may be what overflowed.
  .section .text.trap, "ax"
  .align 4
trap_entry:
  csrrw sp, mscratch, sp
  addi sp, sp, -128
  .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  sw x\n, 4*\n(sp)
  .endr
  csrr t0, mscratch
  sw t0, 8(sp)
  csrr t0, mepc
  sw t0, 0(sp)
  mv a0, sp
  call virt_trap
  .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  lw x\n, 4*\n(sp)
  .endr
  addi sp, sp, 128
  csrrw sp, mscratch, sp
  mret

  .section .bss.trap_stack, "aw", @nobits
  .align 4
  .zero 4096
trap_stack_top:
#endif

/** What `--help` says after the options. Lines are kept within 80 columns, as a terminal may have no more. */

export const BOARD_HELP = `
Naming a board:
  7c:df:a1:00:11:22      its MAC, wherever it is plugged in
  left-arm, sensors      a name or tag of the bench file
  /dev/ttyUSB0, 1-1.4    its port, or the USB socket it is plugged into
  tcp://10.0.0.7:3333    a port of another machine; rfc2217:// has modem lines
  Exported ports may want a token: environment variable FLEETRIG_PORT_TOKEN.

Sharing:
  A command leases the board that it opens, as scenarios do. When somebody else
  has it, the message says who; --wait waits for it.

Exit codes:
  0  done                1  a check failed, or a script on the board did
  2  wrong usage, or it is not clear which board is meant
  3  the board, its port or a tool failed

Examples:
  fleetrig board list --probe
  fleetrig board monitor /dev/ttyACM0 --elf build/app.elf --reset
  fleetrig board virtual --kind rv32 --count 2
`;

export const MONITOR_HELP = `
What it shows:
  Seconds since the command began, then the board's line, coloured by its level.
  Lines with -- are starts with their reason, hellos, and the port coming and
  going; lines with !! are panics, with the places that an ELF file gives them.
  Of virtual boards the ELF file is known. Nothing is sent to the board, except
  what is typed with --send.

Examples:
  fleetrig board monitor left-arm --reset --record crash.frport
  fleetrig board monitor /dev/ttyUSB0 --json | jq 'select(.event == "panic")'
  fleetrig board monitor 1-1.4 --send
`;

export const VIRTUAL_HELP = `
Kinds:
  rv32         the reference firmware on QEMU's 32 bit RISC-V, the instruction
               set of an ESP32-C3, with an emulated ROM for flashers
               (apt-get install qemu-system-misc gcc-riscv64-unknown-elf)
  native       the same firmware as a process (apt-get install gcc)
  micropython  main.py on MicroPython; nothing to install

What they are:
  Scenarios, board list and every serial tool find them like real ones. Pseudo
  terminals have no modem lines: fleetrig resets them by their control socket.
  Without --data they are new each time, and gone at the end.

Examples:
  fleetrig board virtual --kind rv32 --count 3
  fleetrig board virtual --kind micropython --firmware main.py --json
`;

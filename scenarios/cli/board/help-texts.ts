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
  rom          a chip with nothing but its ROM, for flashers; runs nothing

What they are:
  Scenarios, board list and every serial tool find them like real ones. Pseudo
  terminals have no modem lines: fleetrig resets them by their control socket.
  Without --data they are new each time, and gone at the end.

USB devices:
  With --usbip a board is a USB device of a server on 127.0.0.1, which the
  kernel attaches by the commands that are printed (Linux, root, apt-get install
  usbip). Its tty is then /dev/ttyUSB0 or the like, behind the kernel's own
  driver, and DTR and RTS reset it and start its ROM's loader (rv32) as on a
  development board. A usb-jtag leaves the bus when its board restarts: attach
  it again.

Examples:
  fleetrig board virtual --kind rv32 --count 3
  fleetrig board virtual --kind rv32 --usbip cp2102
  fleetrig board virtual --kind micropython --firmware main.py --json
`;

export const FLASH_HELP = `
Images:
  0x0=boot.bin 0x8000=partitions.bin 0x10000=app.bin, as ESP-IDF's build writes
  them into build/flasher_args.json. An application alone goes to 0x10000, an
  image of the reference firmware to its first slot.

What it does:
  Restarts the board into its ROM's loader, compares chip and MAC before it
  writes anything, writes what differs, verifies every block, starts the board
  and waits for its boot text. What is on which board is remembered, and
  believed only after the board has summed it up.

With --command:
  No shell reads the line. {port}, {mac}, {baud} and {image} stand for the
  board's; the lease is held meanwhile.

Examples:
  fleetrig board flash left-arm 0x10000=build/app.bin
  fleetrig board flash 1-1.4 --command 'west flash --esp-device {port}'
`;

export const DEPLOY_HELP = `
Files:
  main.py                its name on the board is main.py
  lib/net.py=src/net.py  lib/net.py on the board
  app/                   everything in that folder
  What is there already, by its hash, is left alone.

When a script fails:
  Its traceback is the error, with file and line, and the command ends with 1.
  Of main.py that is so for its first two seconds.

Examples:
  fleetrig board deploy /dev/ttyACM0 main.py lib/net.py=src/net.py
  fleetrig board deploy left-arm lib/ --run check_sensors.py
`;

export const SELFTEST_HELP = `
What it tries:
  hello and identity, ten proven resets, echoes of all sizes, the link under
  load, the fit of its clock, log lines between frames, a panic, storage over a
  restart. What the board's firmware cannot do is skipped and says so. It needs
  fleetrig's reference firmware (hil/firmware); other firmware shows its resets
  only.

Honestly:
  This project has run it on virtual boards only, never on silicon. What
  --report writes for a real board is worth an issue.

Example:
  fleetrig board selftest /dev/ttyACM0 --report selftest.json
`;

export const EXPORT_HELP = `
Clients name the board by the address that is shown; so do esptool, pyserial and
others that speak RFC 2217. A token is sent in the clear, before anything else,
and only fleetrig sends one: use it within a network that you trust.

Examples:
  fleetrig board export left-arm --listen 127.0.0.1:3333
  FLEETRIG_PORT_TOKEN=$(openssl rand -hex 16) \\
    fleetrig board export left-arm --listen 0.0.0.0:3333
  fleetrig board monitor rfc2217://10.0.0.7:3333
`;

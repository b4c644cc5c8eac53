import { type Command, InvalidArgumentError, Option } from "commander";
import { CHIP_NAMES, normalMac, USB_SERIAL_KINDS } from "fleetrig/hil";
import { parseDurationUs } from "fleetrig/kernel";
import type { Host } from "../host.js";
import { type DeployFlags, deployCommand } from "./commands/deploy.js";
import { boardDoctorCommand } from "./commands/doctor.js";
import { type EraseFlags, eraseCommand, type FlashRange, parseRange } from "./commands/erase.js";
import { type ExportFlags, exportCommand } from "./commands/export.js";
import { type FlashFlags, flashCommand } from "./commands/flash.js";
import { type BoardListFlags, boardListCommand } from "./commands/list.js";
import { type MonitorFlags, monitorCommand } from "./commands/monitor.js";
import { type ReplayFlags, replayCommand } from "./commands/replay.js";
import { resetCommand } from "./commands/reset.js";
import { type SelftestFlags, selftestCommand } from "./commands/selftest.js";
import { VIRTUAL_KINDS, type VirtualFlags, virtualCommand } from "./commands/virtual.js";
import {
  BOARD_HELP,
  DEPLOY_HELP,
  EXPORT_HELP,
  FLASH_HELP,
  MONITOR_HELP,
  SELFTEST_HELP,
  VIRTUAL_HELP,
} from "./help-texts.js";
import { type BoardFlags, USUAL_BENCH_FILE } from "./workplace.js";

/** What the commands of boards are written like. */
interface Writing {
  readonly host: Host;
  readonly done: (code: number) => void;
}

/** Adds `fleetrig board ...`. */
export function addBoard(program: Command, host: Host, done: (code: number) => void): void {
  const board = program
    .command("board")
    .summary("find, watch, reset, flash and try boards")
    .description("Finds, watches, resets, flashes and tries boards, real and virtual.")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", BOARD_HELP);
  const writing = { host, done };
  addLooking(board, writing);
  addHandling(board, writing);
  addWriting(board, writing);
  addTrying(board, writing);
  addVirtual(board, writing);
}

const subcommand = (board: Command, name: string, summary: string): Command =>
  board
    .command(name)
    .summary(summary)
    .helpOption("-h, --help", "show this help")
    .option("--bench <file>", `what is known of boards (default: ${USUAL_BENCH_FILE}, when it is there)`);

/** For commands that open a board. */
const opening = (command: Command): Command =>
  command
    .argument("<board>", "MAC, name, tag, port or address")
    .addOption(new Option("--wait <duration>", "wait so long for whoever has the board").argParser(duration));

function addLooking(board: Command, { host, done }: Writing): void {
  subcommand(board, "list", "show boards, without opening them")
    .description("Shows which boards are there. Nothing is opened, unless --probe asks them who they are.")
    .option("--probe", "open those that are free, and ask who they are")
    .option("--json", "one JSON object per board")
    .action(async (flags: BoardListFlags) => done(await boardListCommand(host, flags)));
  subcommand(board, "doctor", "find out what is wrong with ports or a board")
    .description(
      "Looks for what stands between you and your boards. A board that is named is opened and restarted, too.",
    )
    .argument("[board]", "MAC, name, tag, port or address")
    .option("--json", "one JSON object per check")
    .action(async (name: string | undefined, flags: BoardFlags) =>
      done(await boardDoctorCommand(host, name, flags)),
    );
  opening(subcommand(board, "monitor", "show a board's log, live"))
    .description(
      "Shows a board's log until it is interrupted: levels, starts, decoded panics. Follows it over reconnects.",
    )
    .option("--elf <file>", "program of the board, which names the places of panics")
    .option("--reset", "restart it first, so that nothing of its start is missed")
    .option("--raw", "show what comes as it comes")
    .option("--record <file>", "also keep every byte, for board replay")
    .option("--send", "send it the lines that are typed")
    .addOption(new Option("--baud <rate>", "default 115200").argParser(positive))
    .option("--json", "one JSON object per line of the log, start or panic")
    .addHelpText("after", MONITOR_HELP)
    .action(async (name: string, flags: MonitorFlags) => done(await monitorCommand(host, name, flags)));
}

function addHandling(board: Command, { host, done }: Writing): void {
  opening(subcommand(board, "reset", "restart a board, proven"))
    .description("Restarts a board, and ends with 3 unless the board's own boot text or hello shows it.")
    .option("--json", "say as JSON how")
    .action(async (name: string, flags: BoardFlags) => done(await resetCommand(host, name, "run", flags)));
  opening(subcommand(board, "download", "restart a board into its ROM's loader, proven"))
    .description("Restarts a board into the loader of its ROM, where other flashers find it.")
    .option("--json", "say as JSON how")
    .action(async (name: string, flags: BoardFlags) =>
      done(await resetCommand(host, name, "download", flags)),
    );
}

function addWriting(board: Command, { host, done }: Writing): void {
  opening(subcommand(board, "flash", "write firmware to a board"))
    .description(
      "Writes what is not on the board yet, verifies it, and starts it. Never on another board than the one meant.",
    )
    .argument("[images...]", "offset=file, or a file that says itself where it goes")
    .addOption(chipOption())
    .addOption(macOption())
    .option("--force", "write also what is there already")
    .addOption(new Option("--baud <rate>", "highest rate to try (default 921600)").argParser(positive))
    .option("--command <line>", "let a tool of yours do it, e.g. west flash --esp-device {port}")
    .option("--json", "say as JSON what was done")
    .addHelpText("after", FLASH_HELP)
    .action(async (name: string, images: string[], flags: FlashFlags) =>
      done(await flashCommand(host, name, images, flags)),
    );
  opening(subcommand(board, "erase", "erase a board's flash"))
    .description("Erases all of a board's flash, or a range of it.")
    .addOption(new Option("--region <offset+length>", "only that, e.g. 0x9000+0x6000").argParser(range))
    .addOption(chipOption())
    .addOption(macOption())
    .option("--yes", "do it")
    .action(async (name: string, flags: EraseFlags) => done(await eraseCommand(host, name, flags)));
  opening(subcommand(board, "deploy", "put scripts on a MicroPython board"))
    .description(
      "Puts scripts on a MicroPython board through its raw REPL, verifies them, and starts main.py.",
    )
    .argument("<files...>", "files, path=file, or folders")
    .option("--run <file>", "then run this one to its end and show what it prints, instead of main.py")
    .addOption(new Option("--timeout <duration>", "what --run may take (default 30s)").argParser(duration))
    .option("--json", "say as JSON what was done")
    .addHelpText("after", DEPLOY_HELP)
    .action(async (name: string, files: string[], flags: DeployFlags) =>
      done(await deployCommand(host, name, files, flags)),
    );
}

function addTrying(board: Command, { host, done }: Writing): void {
  opening(subcommand(board, "selftest", "try everything that scenarios do with a board"))
    .description(
      "Tries for a minute everything that scenarios do with a board, and ends with 1 when something fails.",
    )
    .option("--no-crash", "do not have it crash")
    .addOption(new Option("--load <duration>", "load on the link (default 10s)").argParser(duration))
    .option("--report <file>", "write what was found, as JSON")
    .option("--json", "one JSON object per step")
    .addHelpText("after", SELFTEST_HELP)
    .action(async (name: string, flags: SelftestFlags) => done(await selftestCommand(host, name, flags)));
  opening(subcommand(board, "export", "let other machines use a board"))
    .description("Lets one client at a time use a board's port over the network, until it is interrupted.")
    .requiredOption("--listen <host:port>", "where, e.g. 127.0.0.1:3333; port 0 takes any free one")
    .addOption(
      new Option("--protocol <protocol>", "with modem lines and rates, or bytes only")
        .choices(["rfc2217", "tcp"])
        .default("rfc2217"),
    )
    .option("--token <token>", "what clients have to send first (default: FLEETRIG_PORT_TOKEN)")
    .option("--insecure", "listen beyond this machine without a token")
    .addOption(new Option("--baud <rate>", "default 115200").argParser(positive))
    .option("--json", "say as JSON where it is")
    .addHelpText("after", EXPORT_HELP)
    .action(async (name: string, flags: ExportFlags) => done(await exportCommand(host, name, flags)));
  subcommand(board, "replay", "show a recording again")
    .description("Shows a recording of board monitor --record again, with the times that it had.")
    .argument("<file>", "the recording")
    .option("--elf <file>", "program of the board, which names the places of panics")
    .option("--raw", "show what came as it came")
    .option("--json", "one JSON object per line of the log, start or panic")
    .action((file: string, flags: ReplayFlags) => done(replayCommand(host, file, flags)));
}

const chipOption = (): Option => new Option("--chip <chip>", "refuse any other, e.g. esp32c3");

const macOption = (): Option => new Option("--mac <mac>", "refuse any other board").argParser(macAddress);

function macAddress(text: string): string {
  const mac = normalMac(text);
  if (mac !== undefined) return mac;
  throw new InvalidArgumentError("It must be a MAC, such as 7c:df:a1:00:11:22.");
}

function range(text: string): FlashRange {
  const parsed = parseRange(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError("It must be like 0x9000+0x6000, in whole sectors of 4096 bytes.");
}

function addVirtual(board: Command, { host, done }: Writing): void {
  subcommand(board, "virtual", "run boards without hardware")
    .description(
      "Runs virtual boards, each a tty or a USB device that any serial tool can open, until it is interrupted.",
    )
    .addOption(new Option("--kind <kind>", "what they are").choices(VIRTUAL_KINDS).default("rv32"))
    .addOption(new Option("--count <n>", "how many").argParser(boardCount).default(1))
    .option(
      "--firmware <file>",
      "image (rv32, native) or main.py (micropython); default: the reference firmware",
    )
    .option("--elf <file>", "its program with symbols, for board monitor")
    .addOption(new Option("--chip <chip>", "of a rom").choices(CHIP_NAMES).default("esp32c3"))
    .option("--data <folder>", "keep what they store there")
    .option("--tag <tag>", "tag of theirs, for scenarios; repeatable", collect)
    .option("--native-usb", "their tty goes away while they restart, as a chip's own USB does")
    .addOption(
      new Option("--usbip [adapter]", "USB devices in place of ttys, to attach by USB/IP")
        .choices(USB_SERIAL_KINDS)
        .preset("cp2102")
        .conflicts("nativeUsb"),
    )
    .addOption(
      new Option("--usbip-port <port>", "where on 127.0.0.1; 0 takes any free one")
        .argParser(tcpPort)
        .default(3240),
    )
    .option("--json", "one JSON object per board, and one when they are ready")
    .addHelpText("after", VIRTUAL_HELP)
    .action(async (flags: VirtualFlags) => done(await virtualCommand(host, flags)));
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

function duration(text: string): number {
  const us = parseDurationUs(text);
  if (us !== undefined && us >= 0) return us;
  throw new InvalidArgumentError("It must be a duration, such as 30s.");
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

function tcpPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("It must be from 0 to 65535.");
}

const MAX_BOARDS = 64;

function boardCount(text: string): number {
  const count = positive(text);
  if (count <= MAX_BOARDS) return count;
  throw new InvalidArgumentError(`It must be from 1 to ${MAX_BOARDS}.`);
}

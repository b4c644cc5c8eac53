import { type Command, InvalidArgumentError, Option } from "commander";
import { VIRTUAL_BOARD_KINDS } from "fleetrig/hil";
import { parseDurationUs } from "fleetrig/kernel";
import type { Host } from "../host.js";
import { boardDoctorCommand } from "./commands/doctor.js";
import { type BoardListFlags, boardListCommand } from "./commands/list.js";
import { type MonitorFlags, monitorCommand } from "./commands/monitor.js";
import { resetCommand } from "./commands/reset.js";
import { type VirtualFlags, virtualCommand } from "./commands/virtual.js";
import { BOARD_HELP, MONITOR_HELP, VIRTUAL_HELP } from "./help-texts.js";
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

function addVirtual(board: Command, { host, done }: Writing): void {
  subcommand(board, "virtual", "run boards without hardware")
    .description("Runs virtual boards, each a tty that any serial tool can open, until it is interrupted.")
    .addOption(new Option("--kind <kind>", "what they are").choices(VIRTUAL_BOARD_KINDS).default("rv32"))
    .addOption(new Option("--count <n>", "how many").argParser(boardCount).default(1))
    .option(
      "--firmware <file>",
      "image (rv32, native) or main.py (micropython); default: the reference firmware",
    )
    .option("--elf <file>", "its program with symbols, for board monitor")
    .option("--data <folder>", "keep what they store there")
    .option("--tag <tag>", "tag of theirs, for scenarios; repeatable", collect)
    .option("--native-usb", "their tty goes away while they restart, as a chip's own USB does")
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

const MAX_BOARDS = 64;

function boardCount(text: string): number {
  const count = positive(text);
  if (count <= MAX_BOARDS) return count;
  throw new InvalidArgumentError(`It must be from 1 to ${MAX_BOARDS}.`);
}

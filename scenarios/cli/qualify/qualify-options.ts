import { type Command, InvalidArgumentError, Option } from "commander";
import { VIRTUAL_BOARD_KINDS } from "fleetrig/hil";
import type { Host } from "../host.js";
import { QUALIFY_HELP } from "./help-text.js";
import { qualifyCommand } from "./qualify-command.js";
import type { QualifyFlags } from "./qualify-flags.js";

/** AWS: the longest time of a case. */
const TIMEOUT_MAX_S = 10_800;

/** Adds `fleetrig qualify`. */
export function addQualify(program: Command, host: Host, done: (code: number) => void): void {
  program
    .command("qualify")
    .summary("test a device's MQTT, TLS, shadow and jobs")
    .description(
      "Tests how a device speaks MQTT and TLS and uses shadow and jobs, as AWS Device Advisor does, offline.",
    )
    .helpOption("-h, --help", "show this help")
    .option("--board <board>", "a board: its MAC, name, tag or port")
    .addOption(new Option("--virtual <kind>", "a board that is made for this").choices(VIRTUAL_BOARD_KINDS))
    .option("--listen <address>", "wait for any device there, e.g. 127.0.0.1:8883; port 0 takes any")
    .addOption(
      new Option("--path <path>", "how a board reaches the endpoint (default bridge)").choices([
        "bridge",
        "direct",
      ]),
    )
    .option("--host <address>", "address of this machine as the device sees it (default 127.0.0.1)")
    .option("--bench <file>", "what is known of boards")
    .addOption(new Option("--mqtt <version>", "what a board is to speak (default 5)").choices(["3.1.1", "5"]))
    .option("--suite <file>", "the cases to run, and what they are told")
    .option("--case <id>", "a case to run; repeatable", collect)
    .option("--all", "run every case, except the long one")
    .option("--list", "show the cases")
    .option("--timeout <seconds>", "time of each case, instead of its own", timeout)
    .option("--policy <file>", "a policy of the device's certificate; repeatable", collect)
    .option("--out <folder>", "where --listen puts certificates (default qualify-credentials)")
    .option("--report <kind=path>", "write a report: json, junit, html or console; repeatable", collect)
    .option(
      "--report-dir <folder>",
      "write qualification.json, qualification-junit.xml and qualification.html there",
    )
    .option("--strict", "warnings are failures")
    .addHelpText("after", QUALIFY_HELP)
    .action(async (flags: QualifyFlags) => done(await qualifyCommand(host, flags)));
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

function timeout(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text) && seconds >= 1 && seconds <= TIMEOUT_MAX_S) return seconds;
  throw new InvalidArgumentError(`It must be a number of seconds from 1 to ${TIMEOUT_MAX_S}.`);
}

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS } from "fleetrig/broker";
import { EXIT, FleetrigError, parseDurationUs, US_PER_MINUTE, US_PER_MS, US_PER_S } from "fleetrig/kernel";
import { addBoard } from "./board/board-command.js";
import { type BrokerCommandOptions, brokerCommand } from "./commands/broker.js";
import { type BrokerTopOptions, brokerTopCommand } from "./commands/broker-top.js";
import { type CloudCommandOptions, cloudCommand } from "./commands/cloud.js";
import { CATALOGUE_NAMES, catalogueCommand } from "./commands/catalogue.js";
import { doctorCommand } from "./commands/doctor.js";
import { initCommand } from "./commands/init.js";
import { type LintPolicyOptions, lintPolicyCommand } from "./commands/lint-policy.js";
import { listCommand } from "./commands/list.js";
import { type ProxyCommandOptions, proxyCommand } from "./commands/proxy.js";
import { type ReportCommandOptions, reportCommand } from "./commands/report.js";
import { type RunCommandOptions, runCommand } from "./commands/run.js";
import { schemaCommand } from "./commands/schema.js";
import { validateCommand } from "./commands/validate.js";
import {
  BROKER_HELP,
  CLOUD_HELP,
  DOCTOR_HELP,
  LINT_POLICY_HELP,
  LIST_HELP,
  MAIN_HELP,
  PROXY_HELP,
  REPORT_HELP,
  RUN_HELP,
  SCHEMA_HELP,
} from "./help-texts.js";
import { type Host, writeLine } from "./host.js";
import { addQualify } from "./qualify/qualify-options.js";
import { refuseUsage } from "./load-files.js";
import { USUAL_FILES } from "./report-targets.js";
import { VERSION } from "./version.js";

/**
 * The command. Every subcommand is a function of the host; this file only says how they are written.
 * @returns the exit code
 */
export async function main(host: Host): Promise<number> {
  let exitCode: number = EXIT.passed;
  const program = createProgram(host, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...host.argv], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(host, error);
  }
}

type SetExitCode = (code: number) => void;

function createProgram(host: Host, done: SetExitCode): Command {
  const program = new Command("fleetrig")
    .description(
      "Runs scenarios against an embedded IoT cloud, in virtual time or on real sockets, and judges them.",
    )
    .version(VERSION, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .exitOverride()
    // Options belong to the command they stand behind: `broker` and `broker top` both have a --json.
    .enablePositionalOptions()
    .showHelpAfterError("Run with --help for the options.")
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns,
    })
    .addHelpText("after", MAIN_HELP);
  addRun(program, host, done);
  addValidate(program, host, done);
  addList(program, host, done);
  addReport(program, host, done);
  addProxy(program, host, done);
  addBroker(program, host, done);
  addCloud(program, host, done);
  addBoard(program, host, done);
  addQualify(program, host, done);
  subcommand(program, "lint-policy", "find mistakes in AWS IoT policies")
    .description("Finds mistakes in AWS IoT policies that AWS accepts, and says how to mend them.")
    .argument("<files...>", "policy documents, JSON; - for standard input")
    .option("--json", "one JSON object per finding and line")
    .addHelpText("after", LINT_POLICY_HELP)
    .action((files: string[], flags: LintPolicyOptions) => done(lintPolicyCommand(host, files, flags)));
  subcommand(program, "init [file]", "write a scenario to start from")
    .description("Writes a scenario to start from; never overwrites.")
    .argument("[file]", "its name", "scenario.yaml")
    .action((file: string) => done(initCommand(host, file)));
  subcommand(program, "schema", "print the JSON Schema of the scenario format")
    .description("Prints the JSON Schema of the scenario format, for editors.")
    .addHelpText("after", SCHEMA_HELP)
    .action(() => done(schemaCommand(host)));
  subcommand(program, "doctor", "show what this machine has of what runs may need")
    .description("Shows what this machine has of what runs may need.")
    .addHelpText("after", DOCTOR_HELP)
    .action(async () => done(await doctorCommand(host)));
  return program;
}

const subcommand = (program: Command, name: string, summary: string): Command =>
  program.command(name.split(" ", 1)[0]!).summary(summary).helpOption("-h, --help", "show this help");

interface RunFlags extends RunCommandOptions {
  readonly tag?: readonly string[];
}

function addRun(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "run", "run scenarios, judge them, write reports")
    .description("Runs scenarios, judges their expectations and writes reports.")
    .argument("<files...>", "scenarios, folders or globs")
    .option("--seed <n>", "seed of everything random, instead of the scenario's", wholeNumber)
    .addOption(
      new Option("--clock <clock>", "time of the run, instead of the scenario's").choices([
        "virtual",
        "real",
      ]),
    )
    .option("--sweep", "run each scenario's sweep: all its seeds, all its variants")
    .addOption(
      new Option("--seeds <range>", "sweep over these seeds instead, e.g. 1..200 or 1,5,9")
        .argParser(seedRange)
        .conflicts("seed"),
    )
    .option("--variant <name>", "run a variant of the scenario's sweep, e.g. control")
    .option("--tag <tag>", "only scenarios with this tag; repeat to ask for several", collect)
    .option("--jobs <n>", "runs at the same time, each in a thread of its own (default 1)", threadCount)
    .option("--report <kind=path>", "write a report; repeat for several", collect)
    .option("--report-dir <folder>", `write ${USUAL_FILES.join(", ")} there`)
    .option("--baseline <file>", "compare with this report.json, instead of the scenarios' own baselines")
    .option(
      "--boards <group=which>",
      "members that are boards, e.g. sensors=rv32,count=2; repeatable",
      collect,
    )
    .option("--require-boards", "missing boards break the run (exit 3), instead of being skipped")
    .option("--quiet", "show the result only, no progress")
    .addHelpText("after", RUN_HELP)
    .action(async (files: string[], { tag = [], ...flags }: RunFlags) =>
      done(await runCommand(host, files, { ...flags, tags: tag })),
    );
}

function addValidate(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "validate", "check scenarios without running them")
    .description("Checks scenarios without running them, and shows the place of everything that is wrong.")
    .argument("<files...>", "scenarios, folders or globs")
    .action((files: string[]) => done(validateCommand(host, files)));
}

interface ListFlags {
  readonly tag?: readonly string[];
  readonly json?: boolean;
  readonly metrics?: boolean;
  readonly faults?: boolean;
  readonly models?: boolean;
}

function addList(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "list", "show scenarios, or the names they can use")
    .description("Shows what scenarios there are, or the metrics, faults and models that they can name.")
    .argument("[files...]", "scenarios, folders or globs")
    .option("--tag <tag>", "only scenarios with this tag; repeat to ask for several", collect)
    .addOption(new Option("--metrics", "the metrics of expectations").conflicts(["faults", "models"]))
    .addOption(new Option("--faults", "the faults of inject").conflicts(["metrics", "models"]))
    .addOption(new Option("--models", "the built-in device models").conflicts(["metrics", "faults"]))
    .option("--json", "one JSON object per line")
    .addHelpText("after", LIST_HELP)
    .action((files: string[], { tag = [], json = false, ...flags }: ListFlags) => {
      const catalogue = CATALOGUE_NAMES.find((name) => flags[name] === true);
      if (catalogue === undefined) return done(listCommand(host, files, { tags: tag, json }));
      if (files.length === 0) return done(catalogueCommand(host, catalogue, { json }));
      return done(refuseUsage(host, `--${catalogue} takes no files.`, `Write fleetrig list --${catalogue}.`));
    });
}

function addReport(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "report", "show a report again, or compare two")
    .description("Renders a report.json again, or compares two of them.")
    .argument("<record>", "a report.json")
    .argument("[other]", "another one, to compare with")
    .option("--report <kind=path>", "write a report; repeat for several", collect)
    .option("--report-dir <folder>", `write ${USUAL_FILES.join(", ")} there`)
    .addHelpText("after", REPORT_HELP)
    .action((record: string, other: string | undefined, flags: ReportCommandOptions) =>
      done(reportCommand(host, other === undefined ? [record] : [record, other], flags)),
    );
}

function addProxy(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "proxy", "stand between clients and a broker, with faults")
    .description(
      "Stands between clients and any broker, with the faults of scenarios, until it is interrupted.",
    )
    .requiredOption("--listen <url>", "where clients connect, e.g. mqtt://127.0.0.1:1884; port 0 takes any")
    .requiredOption("--to <url>", "the broker, e.g. mqtt://127.0.0.1:1883")
    .option("--fault <fault>", "a fault, e.g. latency=100ms,jitter=20ms; repeat for several", collect)
    .option("--seed <n>", "seed of everything random (default 1)", wholeNumber)
    .option("--raw", "read no MQTT: any bytes pass, also TLS")
    .option("--insecure", "listen beyond this host, without asking anybody who they are")
    .option("--json", "show the counters as one JSON object")
    .addHelpText("after", PROXY_HELP)
    .action(async (flags: ProxyCommandOptions) => done(await proxyCommand(host, flags)));
}

function addBroker(program: Command, host: Host, done: SetExitCode): void {
  const broker = subcommand(program, "broker", "run an MQTT broker by itself")
    .description("Runs an MQTT 3.1.1 and 5 broker by itself, until it is interrupted.")
    .option("--listen <url>", "where to listen (default mqtt://127.0.0.1:1883); repeatable", collect)
    .addOption(
      new Option("--profile <profile>", "MQTT as standardised, or as AWS IoT has it")
        .choices(["oasis", "aws"])
        .default("oasis"),
    )
    .option("--data <folder>", "keep sessions, messages and wills there")
    .addOption(
      new Option("--durability <level>", "what an acknowledgement means with --data").choices(["disk", "os"]),
    )
    .option("--tls-cert <file>", "certificate chain of mqtts: and wss:, PEM; reloaded on change")
    .option("--tls-key <file>", "its key, PEM")
    .option("--tls-ca <file>", "authorities that sign clients' certificates, PEM")
    .option("--require-client-cert", "turn away clients without a good certificate")
    .option("--http <address>", "serve /health, /metrics and more, e.g. 127.0.0.1:9090")
    .option("--http-allow-host <name>", "another name of that server; repeatable", collect)
    .option("--sys-interval <seconds>", "time between $SYS messages, 0 for none (default 10)", wholeNumber)
    .option("--limit <name=value>", "change a limit, e.g. packetBytes=64KiB; repeatable", collect)
    .option("--max-connections <n>", "clients at the same time", wholeNumber)
    .addOption(logOption())
    .addOption(logLevelOption())
    .option("--json", "say on stdout as JSON when and where it is ready")
    .option("--insecure", "let strangers in where nothing asks who they are")
    .addHelpText("after", BROKER_HELP)
    .action(async (flags: BrokerCommandOptions) => done(await brokerCommand(host, flags)));
  broker.enablePositionalOptions();
  subcommand(broker, "top", "watch a broker that runs with --http")
    .description("Watches a broker that runs with --http: rates, drops, the slowest and the busiest clients.")
    .option("--url <url>", "its HTTP endpoint", httpUrl, "http://127.0.0.1:9090")
    .option("--token <token>", "the token shown at its start (default: FLEETRIG_HTTP_TOKEN)")
    .addOption(
      new Option("--interval <duration>", "time between two looks, e.g. 500ms")
        .argParser(shortDuration)
        .default(US_PER_S, "1s"),
    )
    .option("--once", "show one view and end")
    .option("--json", "one JSON object per view")
    .action(async (flags: BrokerTopOptions) => done(await brokerTopCommand(host, flags)));
}

function addCloud(program: Command, host: Host, done: SetExitCode): void {
  subcommand(program, "cloud", "run the embedded cloud as a server")
    .description("Runs a local AWS IoT Core for devices, the AWS CLI and SDKs, until it is interrupted.")
    .option("--data <folder>", "keep everything there, the certificate authority included")
    .addOption(new Option("--durability <level>", "what an answer means with --data").choices(["disk", "os"]))
    .option("--host <address>", "where to listen with TLS (default 127.0.0.1)")
    .option("--mqtt-port <port>", "MQTT on this machine (default 1883); off closes it", port)
    .option("--mqtts-port <port>", "MQTT over TLS (default 8883)", port)
    .option("--tls-port <port>", "MQTT, WebSockets and HTTPS by ALPN (default 8444)", port)
    .option("--https-port <port>", "HTTPS with certificates (default 8443)", port)
    .option("--http-port <port>", "APIs on this machine (default 8440)", port)
    .option("--account <id>", "twelve digits (default 000000000000)", accountId)
    .option("--region <region>", "of ARNs, unless a signature says another (default us-east-1)", region)
    .option("--credentials <source>", "keys that requests must be signed with: a file, or env")
    .addOption(
      new Option("--profile <profile>", "MQTT as AWS IoT has it, or as standardised")
        .choices(["aws", "oasis"])
        .default("aws"),
    )
    .option("--limit <name=value>", "change a limit, e.g. packetBytes=64KiB; repeatable", collect)
    .addOption(
      new Option("--data-endpoint <form>", "what describe-endpoint says for iot:Data-ATS").choices([
        "host",
        "host:port",
      ]),
    )
    .option("--allow-host <name>", "another name of this server; repeatable", collect)
    .option("--allow-origin <origin>", "web pages that may use it; repeatable", collect)
    .option("--require-sni", "turn away TLS clients that name no server, as AWS does")
    .option(
      "--hook <function=target>",
      "module or URL that stands in for a Lambda function; repeatable",
      collect,
    )
    .option("--explain", "say for every denial what decided")
    .option("--open", "show the console in the browser")
    .addOption(logOption())
    .addOption(logLevelOption())
    .option("--json", "say on stdout as JSON when and where it is ready")
    .option("--insecure", "listen on --host without TLS, too, and trust whoever reaches it")
    .addHelpText("after", CLOUD_HELP)
    .action(async (flags: CloudCommandOptions) => done(await cloudCommand(host, flags)));
}

const logOption = (): Option =>
  new Option("--log <format>", "log for programs or people (default: by terminal)").choices(["json", "text"]);

const logLevelOption = (): Option =>
  new Option("--log-level <level>", "least serious lines to log").choices(LOG_LEVELS);

const MAX_PORT = 65_535;

function port(text: string): number | "off" {
  if (text === "off") return text;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  throw new InvalidArgumentError("It must be a port, 0 for any free one, or off.");
}

function accountId(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError("It must have twelve digits.");
}

function region(text: string): string {
  if (/^[a-z]{2}(?:-[a-z]{1,12}){1,3}-\d$/.test(text)) return text;
  throw new InvalidArgumentError("It must be like eu-central-1.");
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

function httpUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError("It must be like http://127.0.0.1:9090.");
}

const MIN_INTERVAL_US = 100 * US_PER_MS;

function shortDuration(text: string): number {
  const us = parseDurationUs(text);
  if (us !== undefined && us >= MIN_INTERVAL_US && us <= 60 * US_PER_MINUTE) return us;
  throw new InvalidArgumentError("It must be a duration from 100ms to 1h.");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number.");
}

const MAX_THREADS = 64;

function threadCount(text: string): number {
  const threads = wholeNumber(text);
  if (threads >= 1 && threads <= MAX_THREADS) return threads;
  throw new InvalidArgumentError(`It must be from 1 to ${MAX_THREADS}.`);
}

const MAX_SEEDS = 10_000;

function seedRange(text: string): readonly number[] {
  const range = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  const seeds =
    range === null
      ? [...new Set(text.split(",").map(wholeNumber))]
      : countUp(wholeNumber(range[1]!), wholeNumber(range[2]!));
  if (seeds.length === 0 || seeds.length > MAX_SEEDS)
    throw new InvalidArgumentError(`Give 1 to ${MAX_SEEDS} seeds.`);
  return seeds;
}

const countUp = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, Math.min(last - first + 1, MAX_SEEDS + 1)) }, (_, index) => first + index);

/** Everything that ends up here is shown as a sentence, never as a stack. */
function report(host: Host, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.usage;
  if (error instanceof FleetrigError) {
    writeLine(host.stderr, `error: ${error.message}`);
    if (error.hint !== undefined) writeLine(host.stderr, `  hint: ${error.hint}`);
    return error.exitCode;
  }
  writeLine(host.stderr, `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  writeLine(host.stderr, "  hint: This is a bug in fleetrig; please report it with the command you ran.");
  return EXIT.environment;
}

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { RENDERERS } from "fleetrig/reports";
import { doctorCommand } from "./commands/doctor.js";
import { initCommand } from "./commands/init.js";
import { listCommand } from "./commands/list.js";
import { reportCommand } from "./commands/report.js";
import { runCommand } from "./commands/run.js";
import { schemaCommand } from "./commands/schema.js";
import { validateCommand } from "./commands/validate.js";
import { type Host, writeLine } from "./host.js";
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
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("Run with --help for the options.")
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns,
    })
    .addHelpText("after", EXIT_CODES);
  addRun(program, host, done);
  program
    .command("validate <files...>")
    .description("check scenarios without running them; folders and globs work too")
    .action((files: string[]) => done(validateCommand(host, files)));
  program
    .command("list [files...]")
    .description("show what scenarios there are, with their tags and sizes")
    .option("--tag <tag>", "only scenarios with this tag; repeat for several", collect, [])
    .option("--json", "one JSON object per line")
    .action((files: string[], { tag, json }: { tag: string[]; json?: boolean }) =>
      done(listCommand(host, files, { tags: tag, json: json === true })),
    );
  program
    .command("schema")
    .description("print the JSON Schema of the scenario format, for editors")
    .action(() => done(schemaCommand(host)));
  addReport(program, host, done);
  program
    .command("init [file]")
    .description("write a scenario to start from; never overwrites")
    .action((file?: string) => done(initCommand(host, file)));
  program
    .command("doctor")
    .description("show what this machine has of what runs may need")
    .action(async () => done(await doctorCommand(host)));
  return program;
}

interface RunFlags {
  seed?: number;
  seeds?: readonly number[];
  sweep?: boolean;
  clock?: "virtual" | "real";
  variant?: string;
  tag: string[];
  jobs?: number;
  report: string[];
  reportDir?: string;
  quiet?: boolean;
}

function addRun(program: Command, host: Host, done: SetExitCode): void {
  program
    .command("run <files...>")
    .description("run scenarios, judge their expectations and write reports; folders and globs work too")
    .option("--seed <n>", "seed of everything random, instead of the scenario's", wholeNumber)
    .addOption(
      new Option("--clock <clock>", "time of the run, instead of the scenario's").choices([
        "virtual",
        "real",
      ]),
    )
    .option("--sweep", "run each scenario's sweep: all its seeds, all its variants")
    .option("--seeds <range>", "sweep over these seeds instead, e.g. 1..200 or 1,5,9", seedRange)
    .option("--variant <name>", "run a variant of the scenario's sweep, e.g. control")
    .option("--tag <tag>", "only scenarios with this tag; repeat for several", collect, [])
    .option("--jobs <n>", "runs at the same time, each in a thread of its own (default 1)", wholeNumber)
    .option("--report <kind=path>", "write a report; repeat for several", collect, [])
    .option("--report-dir <folder>", "write report.json, junit.xml, report.html and summary.md there")
    .option("--quiet", "show only the result")
    .addHelpText("after", RUN_HELP)
    .action(async (files: string[], { tag, ...flags }: RunFlags) =>
      done(await runCommand(host, files, { ...flags, tags: tag })),
    );
}

function addReport(program: Command, host: Host, done: SetExitCode): void {
  program
    .command("report <record> [other]")
    .description("render a report.json again, or compare two of them")
    .option("--report <kind=path>", "write a report; repeat for several", collect, [])
    .option("--report-dir <folder>", "write all report files there")
    .action((record: string, other: string | undefined, flags: { report: string[]; reportDir?: string }) =>
      done(reportCommand(host, other === undefined ? [record] : [record, other], flags)),
    );
}

const EXIT_CODES = `
Exit codes:
  0    every expectation passed
  1    at least one expectation failed
  2    the command or a scenario is wrong; nothing ran
  3    the environment failed: broker unreachable, port taken, crash
  4    inconclusive: a measurement cannot be trusted
  130  interrupted by Ctrl-C, 143 by termination; partial reports are written

Examples:
  fleetrig run scenarios/library --clock virtual
  fleetrig run my.yaml --seed 7 --report junit=out/junit.xml --report html=out/report.html
  fleetrig run ota.yaml --sweep --jobs 2
  fleetrig report out/report.json yesterday/report.json
`;

const RUN_HELP = `
Report kinds:
${Object.entries(RENDERERS)
  .map(([kind, { description }]) => `  ${kind.padEnd(10)} ${description}`)
  .join("\n")}

A run in virtual time is a function of scenario, seed and version: the same three give the same report, byte for
byte, apart from its environment block. What fails is shown with the command that repeats it.
`;

const collect = (value: string, previous: string[]): string[] => [...previous, value];

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number.");
}

const MAX_SEEDS = 10_000;

function seedRange(text: string): readonly number[] {
  const range = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  const seeds =
    range === null
      ? text.split(",").map(wholeNumber)
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

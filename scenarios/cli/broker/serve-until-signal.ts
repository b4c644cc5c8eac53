import { type LogLevel, StructuredLog } from "fleetrig/broker";
import { type Clock, EXIT, LANE, RealTime, type Service, US_PER_S } from "fleetrig/kernel";
import { type Host, writeLine } from "../host.js";

/** A server that cannot end in this time is ended. */
const STOP_DEADLINE_S = 5;

/** What the command line says of the log and of what is stored. */
export interface ServeFlags {
  readonly log?: "json" | "text";
  readonly logLevel?: LogLevel;
  readonly data?: string;
}

export interface ServeOptions {
  readonly host: Host;
  readonly flags: ServeFlags;
  /** What its lines in the log begin with. */
  readonly name: string;
  /** Starts the server and says that it is ready. */
  readonly start: (log: StructuredLog) => Promise<Service>;
}

/**
 * Runs a server with a log on stderr until the process is interrupted.
 * @returns 0 after an orderly end; 130 or 143 when it had to be cut short
 */
export async function serveUntilSignal(options: ServeOptions): Promise<number> {
  const { host, flags } = options;
  const time = new RealTime();
  const clock = time.lane(LANE.harness);
  const log = new StructuredLog({
    clock,
    write: (line) => writeLine(host.stderr, line),
    format: flags.log ?? (host.stderr.isTTY ? "text" : "json"),
    ...(flags.logLevel !== undefined && { level: flags.logLevel }),
  });
  try {
    // LevelDB makes new files all the time, as the process's mask says.
    if (flags.data !== undefined) host.keepFilesPrivate();
    return await serve(options, { log, clock });
  } finally {
    log.stop();
    time.stop();
  }
}

async function serve(
  { host, name, start }: ServeOptions,
  { log, clock }: { readonly log: StructuredLog; readonly clock: Clock },
): Promise<number> {
  const signalled = new Promise<"SIGINT" | "SIGTERM">((resolve) => {
    host.onSignal(resolve);
  });
  const server = await start(log);
  const signal = await signalled;
  log.log("info", `${name}.stopping`, { signal });
  const isLate = new Promise<"late">((resolve) =>
    clock.after(STOP_DEADLINE_S * US_PER_S, () => resolve("late")),
  );
  const end = await Promise.race([server.stop(), isLate]);
  if (end !== "late") {
    log.log("info", `${name}.stopped`, { signal });
    return EXIT.passed;
  }
  log.log("error", `${name}.cut-short`, { signal, afterS: STOP_DEADLINE_S });
  log.stop();
  const exitCode = signal === "SIGINT" ? EXIT.sigint : EXIT.sigterm;
  host.exit(exitCode);
  return exitCode;
}

import type { StructuredLog } from "fleetrig/broker";
import { type Clock, EXIT, type Service, US_PER_S } from "fleetrig/kernel";
import type { Host } from "../host.js";

/** A server that cannot end in this time is ended. */
const STOP_DEADLINE_S = 5;

export interface ServeOptions {
  readonly host: Host;
  readonly log: StructuredLog;
  readonly clock: Clock;
  /** What its lines in the log begin with. */
  readonly name: string;
  /** Starts the server and says that it is ready. */
  readonly start: () => Promise<Service>;
}

/**
 * Runs a server until the process is interrupted.
 * @returns 0 after an orderly end; 130 or 143 when it had to be cut short
 */
export async function serveUntilSignal({ host, log, clock, name, start }: ServeOptions): Promise<number> {
  const signalled = new Promise<"SIGINT" | "SIGTERM">((resolve) => {
    host.onSignal(resolve);
  });
  const server = await start();
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

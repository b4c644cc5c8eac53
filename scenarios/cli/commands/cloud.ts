import { createCloudServer, logServer, logSink, visibleText } from "fleetrig/broker";
import { type EventSink, type RunEvent, silentSink, teeSink } from "fleetrig/kernel";
import { type ServeFlags, serveUntilSignal } from "../broker/serve-until-signal.js";
import { type CloudFlags, cloudOptions } from "../cloud/cloud-options.js";
import { readyJson, readyLines } from "../cloud/ready-text.js";
import { type Host, writeLine } from "../host.js";
import { TOKEN_VARIABLE } from "./broker-top.js";

/** What the command line says. */
export interface CloudCommandOptions extends CloudFlags, ServeFlags {
  readonly explain?: boolean;
  readonly open?: boolean;
  readonly json?: boolean;
}

/**
 * `fleetrig cloud`: the whole embedded cloud as a server, until it is interrupted. Stdout says that it is ready and
 * where; stderr has the log.
 * @returns 0 after an orderly end; 130 or 143 when it had to be cut short
 */
export async function cloudCommand(host: Host, flags: CloudCommandOptions): Promise<number> {
  const token = host.env[TOKEN_VARIABLE];
  const options = cloudOptions(host, flags, token);
  if (flags.insecure === true) for (const line of banner(flags)) writeLine(host.stderr, line);
  return serveUntilSignal({
    host,
    flags,
    name: "cloud",
    start: async (log) => {
      const events = teeSink(logSink(log), flags.explain === true ? explainer(host) : silentSink);
      const server = await createCloudServer({ ...options, events });
      logServer(log, server);
      const ready = { server, flags, isTokenGiven: token !== undefined };
      const lines = flags.json === true ? [readyJson(ready)] : readyLines(ready);
      for (const line of lines) writeLine(host.stdout, line);
      if (flags.open === true && server.consoleUrl !== undefined)
        host.openUrl(`${server.consoleUrl}#token=${server.token}`);
      return server;
    },
  });
}

const banner = ({ host = "127.0.0.1", credentials }: CloudFlags): readonly string[] => {
  const rule = "*".repeat(78);
  const who =
    credentials === undefined
      ? "may do everything here: no keys are configured."
      : "may publish and subscribe here without TLS.";
  return [rule, `* --insecure: whoever reaches ${host} ${who}`, rule];
};

const DENIED_BY = {
  explicitDeny: "explicit deny",
  implicitDeny: "implicit deny",
  credentials: "no valid credentials",
} as const;

/** Every denial, with what decided: one line of what, one of why. */
function explainer(host: Host): EventSink {
  return {
    emit: (event: RunEvent) => {
      if (event.type !== "access.denied") return;
      const { action, resource, principal, clientId, outcome, reason } = event;
      const who = principal === "" ? "nobody" : principal;
      const how = DENIED_BY[outcome];
      const shown = clientId === "" ? "" : ` (client ${visibleText(clientId)})`;
      writeLine(host.stderr, `denied ${action} on ${visibleText(resource)}`);
      writeLine(host.stderr, `  to ${visibleText(who)}${shown}: ${how}. ${visibleText(reason)}`);
    },
  };
}

import { type BrokerServer, createBroker, logServer, logSink } from "fleetrig/broker";
import { readProcess } from "fleetrig/kernel";
import { type BrokerFlags, brokerOptions } from "../broker/broker-options.js";
import { PROMISES } from "../broker/promises.js";
import { type ServeFlags, serveUntilSignal } from "../broker/serve-until-signal.js";
import { type Host, writeLine } from "../host.js";
import { VERSION } from "../version.js";
import { TOKEN_VARIABLE } from "./broker-top.js";

/** What the command line says. */
export interface BrokerCommandOptions extends BrokerFlags, ServeFlags {
  readonly json?: boolean;
}

/**
 * `fleetrig broker`: an MQTT broker by itself, until it is interrupted. Stdout says that it is ready and where;
 * stderr has the log.
 * @returns 0 after an orderly end; 130 or 143 when it had to be cut short
 */
export async function brokerCommand(host: Host, flags: BrokerCommandOptions): Promise<number> {
  const options = brokerOptions(flags, host.env[TOKEN_VARIABLE]);
  return serveUntilSignal({
    host,
    flags,
    name: "broker",
    start: async (log) => {
      const server = await createBroker({ ...options, events: logSink(log) });
      logServer(log, server);
      writeReady(host, server, flags);
      return server;
    },
  });
}

function writeReady(host: Host, server: BrokerServer, flags: BrokerCommandOptions): void {
  const { profile, durability } = server.health();
  const endpoints = server.endpoints.map(({ url }) => url);
  const { http } = server;
  const dataDir = flags.data ?? null;
  // Whoever gave the token knows it; nobody else needs to read it here.
  const isTokenGiven = host.env[TOKEN_VARIABLE] !== undefined;
  if (flags.json === true) {
    const { pid } = readProcess();
    const watch = http === undefined ? null : { url: http.url, token: isTokenGiven ? null : http.token };
    writeLine(
      host.stdout,
      JSON.stringify({
        event: "ready",
        version: VERSION,
        pid,
        profile,
        durability,
        dataDir,
        endpoints,
        http: watch,
      }),
    );
    return;
  }
  const row = (name: string, text: string): void => writeLine(host.stdout, `  ${name.padEnd(11)} ${text}`);
  writeLine(host.stdout, `fleetrig broker ${VERSION}, profile ${profile}`);
  for (const url of endpoints) row("listening", url);
  row("durability", `${durability}: ${PROMISES[durability]}`);
  if (dataDir !== null) row("data", dataDir);
  if (http !== undefined) {
    const token = isTokenGiven ? "" : ` --token ${http.token}`;
    row("watch", `fleetrig broker top --url ${http.url}${token}`);
  }
  const tryIt = tryLine(server, flags);
  if (tryIt !== undefined) row("try", tryIt);
  writeLine(host.stdout, "ready");
}

/** A command that proves that the broker is there; undefined when mosquitto_pub cannot reach it. */
function tryLine(server: BrokerServer, flags: BrokerFlags): string | undefined {
  const endpoint = server.endpoints.find(({ transport }) => transport === "tcp" || transport === "tls");
  if (endpoint === undefined) return undefined;
  const { host, port, transport } = endpoint;
  const address = `-h ${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host} -p ${port}`;
  const tls = transport === "tls" ? ` --cafile ${flags.tlsCa ?? "CA.pem"}` : "";
  const own = transport === "tls" && flags.requireClientCert === true ? " --cert ME.pem --key ME.key" : "";
  return `mosquitto_pub ${address}${tls}${own} -t hello -m world`;
}

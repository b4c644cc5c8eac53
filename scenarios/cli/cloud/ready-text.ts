import type { CloudServer } from "fleetrig/broker";
import { readProcess } from "fleetrig/kernel";
import { PROMISES } from "../broker/promises.js";
import { VERSION } from "../version.js";
import type { CloudFlags } from "./cloud-options.js";

/** What is said once a cloud server is ready. */
export interface ReadyOptions {
  readonly server: CloudServer;
  readonly flags: CloudFlags;
  /** Whoever gave the token knows it; nobody else needs to read it here. */
  readonly isTokenGiven: boolean;
}

/** One line for programs. */
export function readyJson({ server, flags, isTokenGiven }: ReadyOptions): string {
  const { cloud, credentials } = server;
  return JSON.stringify({
    event: "ready",
    version: VERSION,
    pid: readProcess().pid,
    profile: cloud.broker.profile,
    account: cloud.account.accountId,
    region: cloud.account.region,
    durability: server.durability,
    dataDir: flags.data ?? null,
    endpoints: server.endpoints,
    ca: server.caPath,
    signatures: credentials.areRequired ? "required" : "not checked",
    console: server.consoleUrl ?? null,
    token: isTokenGiven ? null : server.token,
  });
}

/** What the doors are for. */
const PURPOSES = {
  mqtt: "devices without TLS, on this machine",
  mqtts: "devices with certificates",
  tls: "all that AWS has on 443: MQTT, WebSockets and HTTPS, by ALPN",
  https: "HTTPS with certificates",
  http: "AWS CLI and SDKs, console, metrics",
} as const;

/** One block for people: where everything is, and commands that work as they stand. */
export function readyLines(options: ReadyOptions): readonly string[] {
  const { server, flags } = options;
  const { account, broker } = server.cloud;
  const row = (name: string, text: string): string => `  ${name.padEnd(11)} ${text}`;
  return [
    `fleetrig cloud ${VERSION}, profile ${broker.profile}, account ${account.accountId}, region ${account.region}`,
    ...Object.entries(server.endpoints).map(([name, url]) =>
      row(name, `${url.padEnd(28)} ${PURPOSES[name as keyof typeof PURPOSES]}`),
    ),
    row("ca", server.caPath),
    row("durability", `${server.durability}: ${PROMISES[server.durability]}`),
    ...(flags.data === undefined ? [] : [row("data", flags.data)]),
    ...(server.consoleUrl === undefined ? [] : [row("console", consoleShown(options))]),
    ...commands(server).map(([name, text]) => row(name, text)),
    "ready",
  ];
}

/** The fragment stays in the browser: it is in no log and in no request. */
const consoleShown = ({ server, isTokenGiven }: ReadyOptions): string =>
  isTokenGiven ? server.consoleUrl! : `${server.consoleUrl}#token=${server.token}`;

/** What to paste, in the order in which a newcomer needs it. */
function commands(server: CloudServer): readonly (readonly [string, string])[] {
  const { http } = server.endpoints;
  const { region } = server.cloud.account;
  const lines: (readonly [string, string])[] = [];
  if (http !== undefined) {
    // Clients of AWS want keys before they ask anything, whether they are looked at or not.
    const keys = server.credentials.areRequired ? "" : "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any ";
    lines.push(
      ["keys", `export ${keys}AWS_DEFAULT_REGION=${region}`],
      ["aws", `aws --endpoint-url ${http} iot create-thing --thing-name thing-1`],
      [
        "",
        `aws --endpoint-url ${http} iot create-keys-and-certificate --set-as-active --certificate-pem-outfile thing-1.pem --private-key-outfile thing-1.key`,
      ],
    );
  }
  const port = server.port("mqtts");
  const host = server.shownHost;
  const files = `--cafile ${server.caPath} --cert thing-1.pem --key thing-1.key`;
  if (port !== undefined)
    lines.push(
      ["mosquitto", `mosquitto_pub -h ${host} -p ${port} ${files} -i thing-1 -q 1 -t hello -m world`],
      [
        "device sdk",
        `endpoint ${host}, port ${port}, ca_filepath ${server.caPath}, cert thing-1.pem, key thing-1.key`,
      ],
    );
  return lines;
}

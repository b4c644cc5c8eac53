import { formatListenerUrl, parseListenerUrl } from "fleetrig/broker";
import { createRandomSource, EXIT, FleetrigError, formatDurationUs, LANE, RealTime } from "fleetrig/kernel";
import {
  createFaultProxy,
  type DirectionCounters,
  parseFaultText,
  type ProxyCounters,
  type ProxyNotice,
} from "fleetrig/sim";
import { type Host, type Output, writeLine } from "../host.js";

/** What the command line says. */
export interface ProxyCommandOptions {
  readonly listen: string;
  readonly to: string;
  readonly fault?: readonly string[];
  readonly seed?: number;
  readonly raw?: boolean;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

const DEFAULT_SEED = 1;

/**
 * `fleetrig proxy`: stands between clients and a broker, with the faults of scenarios, until it is interrupted;
 * then it shows what it did.
 * @returns 0 after Ctrl-C or SIGTERM
 */
export async function proxyCommand(host: Host, options: ProxyCommandOptions): Promise<number> {
  const mode = options.raw === true ? "raw" : "mqtt";
  const listen = addressOf(options.listen, mode);
  const to = addressOf(options.to, mode);
  if (options.insecure !== true && !isLoopback(listen.host)) throw beyondLoopback(options.listen);
  const time = new RealTime();
  const log = new ProxyLog(host.stderr);
  const proxy = await createFaultProxy({
    host: listen.host,
    port: listen.port,
    to,
    mode,
    clock: time.lane(LANE.harness),
    random: createRandomSource(options.seed ?? DEFAULT_SEED),
    faults: (options.fault ?? []).map(parseFaultText),
    notice: (notice) => log.take(notice, time.nowUs()),
  });
  writeLine(
    host.stderr,
    `listening on ${urlOf({ ...listen, port: proxy.port })}, passing on to ${urlOf(to)}`,
  );
  await new Promise<void>((resolve) => host.onSignal(() => resolve()));
  const counters = proxy.counters();
  await proxy.stop();
  time.stop();
  if (options.json === true) writeLine(host.stdout, JSON.stringify(counters));
  else writeSummary(host.stdout, counters);
  return EXIT.passed;
}

interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

/** Raw, any protocol over TCP will do, TLS and WebSocket included. */
function addressOf(url: string, mode: "mqtt" | "raw"): Address {
  const { host = "", port = 0, transport = "tcp" } = parseListenerUrl(url);
  if (transport === "tcp" || (mode === "raw" && transport !== "unix"))
    return { scheme: formatListenerUrl({ transport, host, port, path: "" }).split(":", 1)[0]!, host, port };
  throw new FleetrigError("PROXY_ADDRESS", `The proxy cannot read what passes through ${url}.`, {
    hint: "With --raw it passes on mqtts://, ws:// and wss:// without looking inside.",
    context: { url },
    exitCode: EXIT.usage,
  });
}

const urlOf = ({ scheme, host, port }: Address): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);

const beyondLoopback = (url: string): FleetrigError =>
  new FleetrigError("PROXY_BEYOND_LOOPBACK", `${url} lets other hosts in.`, {
    hint: "Add --insecure if they may use the broker behind the proxy, or listen on 127.0.0.1.",
    context: { url },
    exitCode: EXIT.usage,
  });

/** Says when faults begin and end, and the first time that the target fails for a reason. */
class ProxyLog {
  private readonly reasons = new Set<string>();

  constructor(private readonly output: Output) {}

  take(notice: ProxyNotice, nowUs: number): void {
    const at = `[${formatDurationUs(nowUs)}]`;
    if (notice.type === "target-failed") {
      if (this.reasons.has(notice.reason)) return;
      this.reasons.add(notice.reason);
      writeLine(this.output, `${at} the target cannot be reached: ${notice.reason}`);
      return;
    }
    const whom = notice.client === undefined ? "" : ` for ${notice.client}`;
    writeLine(this.output, `${at} ${notice.fault} ${notice.type === "fault-on" ? "begins" : "ends"}${whom}`);
  }
}

function writeSummary(output: Output, { connections, up, down, faults }: ProxyCounters): void {
  const { accepted, open, refused, vanished, targetFailed, overLimit, notAccepted, reset, severed } =
    connections;
  const fates = Object.entries({
    open,
    refused,
    "left without an answer": vanished,
    "failed at the target": targetFailed,
    "over the limit": overLimit,
    "not accepted by the system": notAccepted,
    reset,
    severed,
  }).filter(([, count]) => count > 0);
  writeLine(
    output,
    `connections  ${[[`accepted`, accepted], ...fates].map(([what, n]) => `${n} ${what}`).join(", ")}`,
  );
  writeLine(output, `up           ${flow(up)}`);
  writeLine(output, `down         ${flow(down)}`);
  const counts = Object.entries(faults).map(([fault, times]) => `${fault} ${times}x`);
  writeLine(output, `faults       ${counts.length === 0 ? "none" : counts.join(", ")}`);
}

const flow = ({ receivedBytes, passedBytes, packets, droppedPackets }: DirectionCounters): string =>
  `${packets} packets, ${droppedPackets} dropped; ${receivedBytes} bytes received, ${passedBytes} passed on`;

import {
  type BrokerLimits,
  type BrokerServerOptions,
  DEFAULT_LIMITS,
  type HttpOptions,
  type ListenerOptions,
  parseListenerUrl,
  type TlsOptions,
} from "fleetrig/broker";
import { didYouMean, EXIT, FleetrigError, parseBytes } from "fleetrig/kernel";

/** What the command line says. */
export interface BrokerFlags {
  readonly listen?: readonly string[];
  readonly profile?: "aws" | "oasis";
  readonly data?: string;
  readonly durability?: "disk" | "os";
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly requireClientCert?: boolean;
  /** `host:port`, or a port of loopback. */
  readonly http?: string;
  readonly httpAllowHost?: readonly string[];
  readonly sysInterval?: number;
  /** `name=value`, as often as wanted. */
  readonly limit?: readonly string[];
  readonly maxConnections?: number;
  readonly insecure?: boolean;
}

const DEFAULT_LISTEN = "mqtt://127.0.0.1:1883";
/** How often certificates are looked at, to be reloaded when they have changed. */
const TLS_WATCH_S = 30;

const usage = (code: string, message: string, hint: string): FleetrigError =>
  new FleetrigError(code, message, { hint, exitCode: EXIT.usage });

/**
 * What `createBroker` is asked for.
 * @throws FleetrigError of exit code 2 for whatever is wrong with the flags
 */
export function brokerOptions(flags: BrokerFlags, httpToken: string | undefined): BrokerServerOptions {
  const { profile = "oasis", sysInterval, http, httpAllowHost = [], data, durability } = flags;
  if (durability !== undefined && data === undefined)
    throw usage(
      "BROKER_DATA_MISSING",
      `There is nowhere to be durable on ${durability === "disk" ? "disk" : "this machine"}.`,
      "Add --data with a folder.",
    );
  const limits = readLimits(flags.limit ?? [], profile);
  if (flags.maxConnections !== undefined) limits.connections = flags.maxConnections;
  return {
    profile,
    limits,
    listen: listeners(flags),
    ...(data !== undefined && { dataDir: data }),
    ...(durability !== undefined && { durability }),
    ...(sysInterval !== undefined && { sysIntervalS: sysInterval }),
    ...(http !== undefined && {
      http: {
        ...httpAddress(http),
        allowedHosts: httpAllowHost,
        ...(httpToken !== undefined && { token: httpToken }),
      },
    }),
  };
}

function listeners(flags: BrokerFlags): readonly ListenerOptions[] {
  const { listen = [DEFAULT_LISTEN], insecure = false } = flags;
  const parsed = listen.map((url) => ({ url, options: parseListenerUrl(url) }));
  const secured = parsed.filter(({ options }) => options.transport === "tls" || options.transport === "wss");
  const tls = tlsOptions(flags);
  if (secured.length > 0 && tls === undefined)
    throw usage(
      "BROKER_TLS_FILES",
      `${secured[0]!.url} needs a certificate.`,
      "Add --tls-cert and --tls-key with PEM files.",
    );
  if (secured.length === 0 && tls !== undefined)
    throw usage(
      "BROKER_TLS_FILES",
      "No listener uses the certificate.",
      "Add --listen mqtts://127.0.0.1:8883 or wss://127.0.0.1:8884/mqtt.",
    );
  return parsed.map(({ options }) => ({
    ...options,
    allowInsecure: insecure,
    ...(secured.some((one) => one.options === options) && tls !== undefined && { tls }),
  }));
}

function tlsOptions(flags: BrokerFlags): TlsOptions | undefined {
  const { tlsCert, tlsKey, tlsCa, requireClientCert = false } = flags;
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined && !requireClientCert)
    return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw usage(
      "BROKER_TLS_FILES",
      "A certificate and its key belong together.",
      "Give --tls-cert and --tls-key.",
    );
  if (requireClientCert && tlsCa === undefined)
    throw usage(
      "BROKER_TLS_FILES",
      "Nobody says which client certificates are good.",
      "Add --tls-ca with the PEM file of the authority that signs them.",
    );
  return {
    cert: tlsCert,
    key: tlsKey,
    ...(tlsCa !== undefined && { ca: tlsCa }),
    clientCertificates: requireClientCert ? "require" : tlsCa === undefined ? "none" : "request",
    watchS: TLS_WATCH_S,
  };
}

/** `9090`, `127.0.0.1:9090`, `[::1]:9090`. */
function httpAddress(text: string): Pick<HttpOptions, "host" | "port"> {
  const [, bracketed, host = "127.0.0.1", digits = ""] =
    /^(?:(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== "" && port <= 65_535) return { host: bracketed ?? host, port };
  throw usage(
    "BROKER_HTTP_ADDRESS",
    `${JSON.stringify(text)} is no address to listen on.`,
    "Write --http 127.0.0.1:9090, or --http 9090 for the same.",
  );
}

/** Limits of a broker that were given by hand. */
export type Limits = { -readonly [Name in keyof BrokerLimits]?: BrokerLimits[Name] };

/** Limits that are words. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  queueOverflow: ["drop-oldest", "drop-newest"],
  connectOverload: ["refuse", "queue"],
};

/** @throws FleetrigError of exit code 2 for names that are no limits, and values they cannot have */
export function readLimits(pairs: readonly string[], profile: "aws" | "oasis"): Limits {
  const names = Object.keys(DEFAULT_LIMITS[profile]);
  const limits: Record<string, number | string> = {};
  for (const pair of pairs) {
    const [, name = pair, value = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    if (!names.includes(name))
      throw usage(
        "BROKER_LIMIT_UNKNOWN",
        `There is no limit ${JSON.stringify(name)}.`,
        didYouMean(name, names) ?? `There are: ${names.join(", ")}.`,
      );
    limits[name] = readLimit(name, value);
  }
  return limits;
}

function readLimit(name: string, text: string): number | string {
  const choices = CHOICES[name];
  if (choices !== undefined) {
    if (choices.includes(text)) return text;
    throw usage(
      "BROKER_LIMIT_VALUE",
      `${name} cannot be ${JSON.stringify(text)}.`,
      `It is ${choices.join(" or ")}.`,
    );
  }
  if (text === "unlimited") return Number.POSITIVE_INFINITY;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : parseBytes(text);
  if (value !== undefined) return Math.floor(value);
  throw usage(
    "BROKER_LIMIT_VALUE",
    `${name} cannot be ${JSON.stringify(text)}.`,
    `Write a whole number, ${name.includes("Bytes") ? "a size such as 64KiB, " : ""}or unlimited.`,
  );
}

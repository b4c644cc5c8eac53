import type { EventSink, RandomSource, TimeSource } from "fleetrig/kernel";
import type { Profile } from "fleetrig/protocol";
import type { AccountOptions } from "../account.js";
import type { CloudOptions } from "../cloud-options.js";
import type { CredentialOptions } from "../credentials/index.js";
import type { BrokerLimits } from "../engine/index.js";

/** The doors of a cloud server; each can be closed. */
export interface CloudPorts {
  /** MQTT without TLS, on loopback. Default 1883. */
  readonly mqtt: number | "off";
  /** MQTT over TLS, with client certificates. Default 8883. */
  readonly mqtts: number | "off";
  /** What AWS has on 443: MQTT, MQTT over WebSocket and HTTPS, told apart by ALPN. Default 8444. */
  readonly tls: number | "off";
  /** HTTPS with client certificates. Default 8443. */
  readonly https: number | "off";
  /** HTTP without TLS, on loopback: APIs, console, metrics, MQTT over WebSocket. Default 8440. */
  readonly http: number | "off";
}

export const DEFAULT_CLOUD_PORTS: CloudPorts = {
  mqtt: 1883,
  mqtts: 8883,
  tls: 8444,
  https: 8443,
  http: 8440,
};

/** What a cloud server is made of; everything has a default. */
export interface CloudServerOptions {
  /** Where the doors with TLS listen; those without only do so with `allowInsecure`. Default 127.0.0.1. */
  readonly host?: string;
  /** Port 0 takes any free one. */
  readonly ports?: Partial<CloudPorts>;
  /** Default `aws`. */
  readonly profile?: Profile;
  readonly limits?: Partial<BrokerLimits>;
  readonly account?: AccountOptions;
  /** Where everything is kept. Default: in memory only, with the CA certificate in a temporary file. */
  readonly dataDir?: string;
  /** What an answer promises with `dataDir`. Default `disk`. */
  readonly durability?: "disk" | "os";
  /** Keys that requests have to be signed with. Default: none, and whoever is on this machine may do everything. */
  readonly credentials?: readonly CredentialOptions[];
  /** How much the clocks of signing clients may differ, in seconds. Default 300. */
  readonly maxClockSkewS?: number;
  /** Names that clients may call this server by, besides localhost: `name`, or `name:port` of a proxy. */
  readonly allowedHosts?: readonly string[];
  /** Web pages of other origins that may use it. */
  readonly allowedOrigins?: readonly string[];
  /** Lets everybody who reaches this server do everything as long as no credentials are configured. Default false. */
  readonly allowInsecure?: boolean;
  /** Turns away TLS clients that name no server (SNI), as AWS does; addresses are no names. Default false. */
  readonly requireSni?: boolean;
  /** What `iot:Data-ATS` is answered with: tools that have a port of their own want the bare host. Default `host`. */
  readonly dataEndpoint?: "host" | "host:port";
  /** Token of metrics, client lists and the console; at least 16 characters. Default: a new one. */
  readonly token?: string;
  /** Connections that speak HTTP, per door. Default 1,024. */
  readonly maxHttpConnections?: number;
  readonly events?: EventSink;
  /** Default: the machine's time. */
  readonly time?: TimeSource;
  /** Default: a seed that nobody can guess. */
  readonly random?: RandomSource;
  /** Settings of single services. */
  readonly cloud?: Pick<
    CloudOptions,
    "access" | "hooks" | "hookSettings" | "identity" | "jobs" | "management" | "provisioning" | "services"
  >;
}

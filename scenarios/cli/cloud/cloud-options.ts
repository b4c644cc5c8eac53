import type { CloudPorts, CloudServerOptions } from "fleetrig/broker";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import { readLimits } from "../broker/broker-options.js";
import type { Host } from "../host.js";
import { readCredentials } from "./credentials-file.js";

/** What the command line says about the server itself. */
export interface CloudFlags {
  readonly host?: string;
  readonly mqttPort?: number | "off";
  readonly mqttsPort?: number | "off";
  readonly tlsPort?: number | "off";
  readonly httpsPort?: number | "off";
  readonly httpPort?: number | "off";
  readonly profile?: "aws" | "oasis";
  readonly data?: string;
  readonly durability?: "disk" | "os";
  readonly account?: string;
  readonly region?: string;
  /** A file, or `env`. */
  readonly credentials?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly dataEndpoint?: "host" | "host:port";
  /** `name=value`, as often as wanted. */
  readonly limit?: readonly string[];
  readonly insecure?: boolean;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/**
 * What `createCloudServer` is asked for.
 * @throws FleetrigError of exit code 2 for whatever is wrong with the flags
 */
export function cloudOptions(host: Host, flags: CloudFlags, token: string | undefined): CloudServerOptions {
  const { profile = "aws", data, durability, account, region, credentials } = flags;
  if (durability !== undefined && data === undefined)
    throw new FleetrigError("BROKER_DATA_MISSING", "There is nowhere to be durable.", {
      hint: "Add --data with a folder.",
      exitCode: EXIT.usage,
    });
  return {
    profile,
    limits: readLimits(flags.limit ?? [], profile),
    ports: portsOf(flags),
    account: {
      ...(account !== undefined && { accountId: account }),
      ...(region !== undefined && { region }),
    },
    allowedHosts: flags.allowHost ?? [],
    allowedOrigins: flags.allowOrigin ?? [],
    allowInsecure: flags.insecure ?? false,
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.dataEndpoint !== undefined && { dataEndpoint: flags.dataEndpoint }),
    ...(data !== undefined && { dataDir: data }),
    ...(durability !== undefined && { durability }),
    ...(credentials !== undefined && { credentials: readCredentials(host, credentials) }),
    ...(token !== undefined && { token }),
  };
}

function portsOf({ mqttPort, mqttsPort, tlsPort, httpsPort, httpPort }: CloudFlags): Partial<CloudPorts> {
  const given = { mqtt: mqttPort, mqtts: mqttsPort, tls: tlsPort, https: httpsPort, http: httpPort };
  const ports: Writable<Partial<CloudPorts>> = {};
  for (const [name, port] of Object.entries(given))
    if (port !== undefined) ports[name as keyof CloudPorts] = port;
  return ports;
}

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
  /** `function=target`, as often as wanted. */
  readonly hook?: readonly string[];
  readonly insecure?: boolean;
  readonly requireSni?: boolean;
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
    requireSni: flags.requireSni ?? false,
    ...(flags.hook !== undefined && { cloud: { hooks: hooksOf(flags.hook) } }),
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

/** Functions by name: `authorize=./hooks/authorize.ts`. */
function hooksOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, target] = /^(.{1,512}?)=(.+)$/s.exec(pair) ?? [];
      if (name !== undefined && target !== undefined) return [name, target];
      throw new FleetrigError(
        "HOOK_TARGET_INVALID",
        `--hook ${JSON.stringify(pair)} names no function and target.`,
        {
          hint: "Write --hook authorize=./hooks/authorize.ts, or --hook authorize=http://127.0.0.1:3000/.",
          exitCode: EXIT.usage,
        },
      );
    }),
  );
}

import { type Clock, type EventSink, hostSecret, type RandomSource } from "fleetrig/kernel";
import type { Api } from "../api/index.js";
import type { Cloud } from "../cloud.js";
import { createConsole } from "../console/index.js";
import { type CredentialDirectory, CredentialsProvider, SignatureVerifier } from "../credentials/index.js";
import { type AwsMetrics, CallerIdentification, Gateway, WatchPages, WebGuard } from "../gateway/index.js";
import type { Observatory } from "../observe/index.js";
import type { CloudServerOptions } from "./cloud-server-options.js";
import { deviceAccessOf } from "./device-access.js";

export interface GatewayParts {
  readonly options: CloudServerOptions;
  readonly cloud: Cloud;
  readonly api: Api;
  readonly credentials: CredentialDirectory;
  readonly observatory: Observatory;
  readonly metrics: AwsMetrics;
  readonly token: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly events: EventSink;
}

/** Everything that answers over HTTP, put together. */
export function makeGateway(parts: GatewayParts): Gateway {
  const { options, cloud, api, credentials, clock, random, events, metrics } = parts;
  const { allowedHosts = [], allowedOrigins = [], allowInsecure = false, maxClockSkewS } = options;
  const pages = new WatchPages(parts);
  const provider = new CredentialsProvider({
    clock,
    credentials,
    roleAliases: cloud.roleAliases,
    access: deviceAccessOf(cloud),
    newSecret: hostSecret,
    random: random.stream("access-keys"),
    issued: () => metrics.count({ name: "credential_exchange_success_total" }),
  });
  return new Gateway({
    clock,
    random: random.stream("gateway"),
    events,
    api,
    authorize: (request, known) => cloud.authorizers.callerOf(request, known),
    pins: cloud.domainPins,
    guard: new WebGuard({
      allowedHosts,
      allowedOrigins,
      isOwnDomain: (name) => cloud.domains.ofServerName(name) !== undefined,
    }),
    callers: new CallerIdentification({
      credentials,
      verifier: new SignatureVerifier({
        clock,
        credentials,
        ...(maxClockSkewS !== undefined && { maxSkewS: maxClockSkewS }),
      }),
      trustsEverybody: allowInsecure,
      certificates: {
        isActive: (certificateId) => cloud.identity.certificates.find(certificateId)?.status === "ACTIVE",
      },
    }),
    mounts: [createConsole({ cloud, clock, token: parts.token })],
    handlers: [
      (request, caller) => pages.handle(request, caller),
      (request, caller) => provider.handle(request, caller),
      (request) => cloud.management.artifacts.handle(request),
    ],
  });
}

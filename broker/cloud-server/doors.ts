import type { Gateway } from "../gateway/index.js";
import type { ListenerOptions, TlsOptions } from "../listeners/index.js";
import { isLoopbackHost } from "../listeners/web-origin.js";
import { type CloudPorts, type CloudServerOptions, DEFAULT_CLOUD_PORTS } from "./cloud-server-options.js";
import type { ServerAuthority } from "./server-authority.js";

/** Name of a door. */
export type DoorName = keyof CloudPorts;

/** AWS: what clients of port 443 agree on when they speak MQTT (REF §1). */
const MQTT_PROTOCOLS = ["x-amzn-mqtt-ca", "mqtt"];
const HTTP_PROTOCOLS = ["x-amzn-http-ca", "http/1.1"];
const LOOPBACK = "127.0.0.1";

export interface DoorParts {
  readonly gateway: Gateway;
  readonly authority: ServerAuthority;
}

/** The listeners that a cloud server has, in the order in which they are opened. */
export function doorsOf(
  options: CloudServerOptions,
  parts: DoorParts,
): readonly (readonly [DoorName, ListenerOptions])[] {
  const { host = LOOPBACK, allowInsecure = false, requireSni = false } = options;
  const ports: CloudPorts = { ...DEFAULT_CLOUD_PORTS, ...options.ports };
  const plainHost = allowInsecure ? host : LOOPBACK;
  const layouts: Readonly<Record<DoorName, (port: number) => ListenerOptions>> = {
    mqtt: (port) => ({ transport: "tcp", host: plainHost, port }),
    mqtts: (port) => ({ transport: "tls", host, port, tls: tlsOf(parts, MQTT_PROTOCOLS, requireSni) }),
    tls: (port) => ({
      transport: "tls",
      host,
      port,
      tls: tlsOf(parts, [...MQTT_PROTOCOLS, ...HTTP_PROTOCOLS], requireSni),
      web: entranceOf(options, parts, { host, mqttProtocols: new Set(MQTT_PROTOCOLS) }),
    }),
    https: (port) => ({
      transport: "tls",
      host,
      port,
      tls: tlsOf(parts, HTTP_PROTOCOLS, requireSni),
      web: entranceOf(options, parts, { host }),
    }),
    http: (port) => ({
      transport: "tcp",
      host: plainHost,
      port,
      web: entranceOf(options, parts, { host: plainHost }),
    }),
  };
  const names = Object.keys(layouts) as DoorName[];
  return names.flatMap((name) => {
    const port = ports[name];
    return port === "off" ? [] : [[name, layouts[name](port)] as const];
  });
}

const tlsOf = (
  { authority }: DoorParts,
  alpn: readonly string[],
  requireServerName: boolean,
): TlsOptions => ({
  key: authority.key,
  cert: authority.cert,
  clientCertificates: "identify",
  requireServerName,
  alpn,
  secureContextFor: (serverName) => authority.contextFor(serverName),
});

const entranceOf = (
  { maxHttpConnections }: CloudServerOptions,
  { gateway }: DoorParts,
  { host, mqttProtocols }: { readonly host: string; readonly mqttProtocols?: ReadonlySet<string> },
) =>
  gateway.entrance({
    isLoopback: isLoopbackHost(host),
    ...(mqttProtocols !== undefined && { mqttProtocols }),
    ...(maxHttpConnections !== undefined && { maxConnections: maxHttpConnections }),
  });

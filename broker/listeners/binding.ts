import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { Transport } from "fleetrig/protocol";
import type { ListenerOptions, TlsOptions } from "./listener-options.js";
import { isLoopbackHost } from "./web-origin.js";

/** Listener options with everything filled in that decides what is opened. */
export interface Binding {
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly isLoopback: boolean;
}

const isSecured = (transport: Transport): boolean => transport === "tls" || transport === "wss";

const invalid = (message: string, hint: string): FleetrigError =>
  new FleetrigError("LISTENER_OPTION_INVALID", message, { hint, exitCode: EXIT.usage });

/** @throws FleetrigError `LISTENER_OPTION_INVALID` for options that contradict each other. */
export function toBinding(options: ListenerOptions): Binding {
  const { host = "127.0.0.1", port = 0, path, tls } = options;
  const transport = options.transport ?? (tls === undefined ? "tcp" : "tls");
  if (isSecured(transport) && tls === undefined)
    throw invalid(`A ${transport} listener has no key and no certificate.`, "Give it `tls: { key, cert }`.");
  if (!isSecured(transport) && tls !== undefined)
    throw invalid(
      `A ${transport} listener was given certificates and would not use them.`,
      "Choose tls or wss, or leave `tls` out.",
    );
  if (transport === "unix" && path === undefined)
    throw invalid("A Unix socket has no path.", "Give it `path`, or write unix:/path/of/socket.");
  if (options.web !== undefined && transport !== "tcp" && transport !== "tls")
    throw invalid(`A ${transport} listener cannot speak HTTP besides.`, "Choose tcp or tls.");
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalid(`${port} is no port.`, "Ports are 0 (any free one) to 65535.");
  return { transport, host, port, path, tls, isLoopback: transport === "unix" || isLoopbackHost(host) };
}

/**
 * A broker that lets everybody in belongs on this machine: beyond it, somebody must ask clients who they are
 * (REF E11). Encryption alone asks nobody.
 * @throws FleetrigError `LISTENER_INSECURE`.
 */
export function checkExposure(binding: Binding, allowed: { authorizes: boolean; insecure: boolean }): void {
  if (binding.isLoopback || allowed.authorizes || allowed.insecure) return;
  if (binding.tls?.clientCertificates === "require") return;
  throw new FleetrigError(
    "LISTENER_INSECURE",
    `Listening on ${binding.host} would let anybody in who reaches this machine.`,
    {
      hint: "Require client certificates, authorise clients with a hook, listen on 127.0.0.1, or say allowInsecure (--insecure).",
      context: { host: binding.host, port: binding.port, transport: binding.transport },
      exitCode: EXIT.usage,
    },
  );
}

import type { EventSink } from "fleetrig/kernel";
import { reasonName } from "fleetrig/protocol";
import type { AwsDisconnectReason } from "../engine/index.js";
import type { BrokerServerEvent, EventHandler } from "../server/index.js";
import type { LogLevel, StructuredLog } from "./structured-log.js";

/** What is logged of a server: it has `on` for its events, and a sink for the engine's. */
interface EventSource {
  on<Name extends BrokerServerEvent>(name: Name, handler: EventHandler<Name>): () => void;
}

/** Ends that somebody should look at. */
const REMARKABLE: ReadonlySet<AwsDisconnectReason> = new Set([
  "AUTH_ERROR",
  "CLIENT_ERROR",
  "FORBIDDEN_ACCESS",
  "SERVER_ERROR",
  "THROTTLED",
]);

/**
 * Writes down what happens to a server's clients. User names are left out: with custom authorizers they carry
 * tokens.
 */
export function logServer(log: StructuredLog, server: EventSource): void {
  server.on("connected", ({ clientId, remoteAddress, protocolVersion, sessionPresent }) =>
    log.log("info", "client.connected", {
      clientId,
      address: remoteAddress,
      protocol: protocolVersion === 5 ? "5" : "3.1.1",
      sessionPresent,
    }),
  );
  server.on("disconnected", ({ clientId, reason, clientInitiated }) =>
    log.log(levelOfEnd(reason), "client.disconnected", { clientId, reason, clientInitiated }),
  );
  server.on("refused", ({ clientId, remoteAddress, reasonCode }) =>
    log.log("warn", "client.refused", { clientId, address: remoteAddress, reason: reasonName(reasonCode) }),
  );
  server.on("dropped", ({ clientId, reason, topic }) =>
    log.log("warn", "message.dropped", { clientId, reason, topic }),
  );
  server.on("malformed", ({ remoteAddress, failure }) =>
    log.log("warn", "link.malformed", { address: remoteAddress, reason: reasonName(failure.reasonCode) }),
  );
  server.on("rejected", ({ reason, detail, remoteAddress, endpoint }) =>
    log.log("warn", "socket.rejected", { address: remoteAddress, reason, detail, listener: endpoint.url }),
  );
  server.on("certificates", ({ endpoint, outcome, error }) =>
    log.log(outcome === "kept" ? "error" : "info", `certificates.${outcome}`, {
      listener: endpoint.url,
      problem: error instanceof Error ? error.message : undefined,
    }),
  );
  server.on("memory", ({ level }) =>
    log.log(level === "normal" ? "info" : "error", "memory.level", { level }),
  );
  server.on("conflict", ({ clientId, addresses }) =>
    log.log("warn", "client.conflict", { clientId, addresses: addresses.join(" ") }),
  );
  server.on("subscribed", ({ clientId, filters }) => logFilters(log, "client.subscribed", clientId, filters));
  server.on("unsubscribed", ({ clientId, filters }) =>
    logFilters(log, "client.unsubscribed", clientId, filters),
  );
}

/** The engine's events that no server event tells. */
export const logSink = (log: StructuredLog): EventSink => ({
  emit: (event) => {
    switch (event.type) {
      case "session.expired":
        log.log("info", event.type, { clientId: event.clientId });
        break;
      case "will.published":
        log.log("debug", event.type, { clientId: event.clientId, topic: event.topic });
        break;
      case "store.opened": {
        const { type, atUs: _, ...fields } = event;
        log.log("info", type, fields);
        break;
      }
      case "access.denied": {
        const { principal, clientId, action, resource, outcome, reason: why } = event;
        log.log("warn", event.type, { principal, clientId, action, resource, outcome, why });
        break;
      }
      case "hook.failed": {
        const { functionArn, reason, detail } = event;
        log.log("warn", event.type, { functionArn, reason, detail });
        break;
      }
      case "provisioning.provisioned": {
        const { template, thing, certificateId } = event;
        log.log("info", event.type, { template, thing, certificateId });
        break;
      }
      case "provisioning.rejected": {
        const { clientId, template, errorCode, reason } = event;
        log.log("warn", event.type, { clientId, template, errorCode, reason });
        break;
      }
      case "api.fault":
        log.log("error", event.type, { requestId: event.requestId, detail: event.detail });
        break;
      case "store.damaged":
        log.log("error", event.type, { where: event.where, what: event.what });
        break;
      case "store.failed":
        log.log("error", event.type, { problem: event.reason });
        break;
      default:
    }
  },
});

const levelOfEnd = (reason: AwsDisconnectReason): LogLevel => (REMARKABLE.has(reason) ? "warn" : "info");

function logFilters(log: StructuredLog, event: string, clientId: string, filters: readonly string[]): void {
  if (log.writes("debug")) log.log("debug", event, { clientId, filters: filters.join(" ") });
}

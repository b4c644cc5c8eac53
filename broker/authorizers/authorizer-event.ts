import type { JsonObject } from "fleetrig/kernel";
import { type Presented, queryOf } from "./presented-credentials.js";

/** What goes with the facts of a client. */
export interface EventExtras {
  readonly token: string | undefined;
  readonly signatureVerified: boolean;
  readonly connectionId: string;
}

/** The event that an authorizer's function gets (REF §12); what a connection does not have is left out. */
export function authorizerEvent(presented: Presented, extras: EventExtras): JsonObject {
  const { isSecure, http, mqtt } = presented;
  const protocols = [
    ...(isSecure ? ["tls"] : []),
    ...(http === undefined ? [] : ["http"]),
    ...(mqtt === undefined ? [] : ["mqtt"]),
  ];
  return {
    ...(extras.token !== undefined && { token: extras.token }),
    signatureVerified: extras.signatureVerified,
    protocols,
    protocolData: protocolData(presented),
    connectionMetadata: { id: extras.connectionId },
  };
}

function protocolData({ isSecure, serverName, http, mqtt }: Presented): JsonObject {
  return {
    ...(isSecure && { tls: serverName === undefined ? {} : { serverName } }),
    ...(http !== undefined && {
      http: { headers: Object.fromEntries(http.headers), queryString: queryText(http.target) },
    }),
    ...(mqtt !== undefined && {
      mqtt: {
        ...(mqtt.username !== undefined && { username: mqtt.username }),
        ...(mqtt.password !== undefined && { password: Buffer.from(mqtt.password).toString("base64") }),
        ...(mqtt.clientId !== undefined && { clientId: mqtt.clientId }),
      },
    }),
  };
}

function queryText(target: string): string {
  const query = queryOf(target);
  return query === "" ? "" : `?${query}`;
}

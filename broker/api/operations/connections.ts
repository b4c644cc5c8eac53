import { hostOf, portOf } from "../../remote-address.js";
import { REASON } from "fleetrig/protocol";
import { cloudError } from "../../cloud-error.js";
import type { ConnectionReading } from "../../connections/index.js";
import type { ApiCall } from "../operation.js";
import { operation, type OperationTable, type RequiredAccess } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface ClientInput {
  readonly clientId: string;
}

const onClient =
  (action: string) =>
  ({ clientId }: ClientInput): RequiredAccess => ({
    action: `iot:${action}`,
    resource: `client/${clientId}`,
  });

const noSuchClient = (clientId: string): Error =>
  cloudError(
    "ResourceNotFoundException",
    `Client ${JSON.stringify(clientId)} has no connection and no session.`,
  );

function readingOf(clientId: string, { cloud }: ApiCall): ConnectionReading {
  const reading = cloud.connections.reading(clientId);
  if (reading === undefined) throw noSuchClient(clientId);
  return reading;
}

/** Infinity has no JSON; MQTT 5's word for "never" is the largest number of seconds. */
const NEVER_S = 0xff_ff_ff_ff;
const DEFAULT_PAGE = 20;

/** The connection API: who is connected, to what they listen, and how to end it. */
export const connectionOperations: OperationTable = {
  GetConnection: operation<ClientInput & { readonly includeSocketInformation?: boolean }>(
    ({ clientId, includeSocketInformation = false }, call) => {
      const { isConnected, sinceMs, sessionExpiryS, keepAliveS, remoteAddress, disconnectReason, localPort } =
        readingOf(clientId, call);
      return {
        clientId,
        connected: isConnected,
        cleanSession: sessionExpiryS === undefined ? undefined : sessionExpiryS === 0,
        sessionExpiry: sessionExpiryS === undefined ? undefined : Math.min(sessionExpiryS, NEVER_S),
        keepAliveDuration: keepAliveS,
        [isConnected ? "connectedSince" : "disconnectedSince"]: sinceMs,
        disconnectReason,
        ...(includeSocketInformation &&
          remoteAddress !== undefined && {
            sourceIp: hostOf(remoteAddress),
            sourcePort: portOf(remoteAddress),
            targetPort: localPort,
          }),
      };
    },
    { access: onClient("GetConnection") },
  ),
  ListSubscriptions: operation<ClientInput & ListRequest>(
    ({ clientId, ...request }, { cloud }) => {
      const session = cloud.broker.session(clientId);
      if (session === undefined) throw noSuchClient(clientId);
      const all = Array.from(session.subscriptions(), ({ filter, qos }) => ({
        topicFilter: filter,
        qos,
      })).sort((a, b) => (a.topicFilter < b.topicFilter ? -1 : 1));
      const { items, nextToken } = pageByName(all, request, {
        nameOf: ({ topicFilter }) => topicFilter,
        defaultSize: DEFAULT_PAGE,
      });
      return { subscriptions: items, nextToken };
    },
    { access: onClient("ListSubscriptions") },
  ),
  DeleteConnection: operation<
    ClientInput & { readonly cleanSession?: boolean; readonly preventWillMessage?: boolean }
  >(
    ({ clientId, cleanSession = false, preventWillMessage = false }, { cloud }) => {
      const { broker } = cloud;
      const wasConnected = broker.disconnectClient(clientId, {
        reasonCode: REASON.administrativeAction,
        awsReason: "API_INITIATED_DISCONNECT",
        sendWill: !preventWillMessage,
      });
      const hadSession = cleanSession && broker.discardSession(clientId);
      if (!wasConnected && !hadSession) throw noSuchClient(clientId);
      return undefined;
    },
    { access: onClient("DeleteConnection") },
  ),
};

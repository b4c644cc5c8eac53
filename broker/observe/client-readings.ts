import { type Clock, US_PER_S } from "fleetrig/kernel";
import type { Session } from "../engine/session.js";
import { topOf } from "./top-of.js";

/** One client as its broker sees it. Times are seconds before the reading; counters are of the present connection. */
export interface ClientReading {
  readonly clientId: string;
  readonly isConnected: boolean;
  /** Empty for a client that is away. */
  readonly remoteAddress: string;
  readonly protocolVersion: "3.1.1" | "5";
  readonly connectedS: number;
  /** Keep-alive in force; 0 for none. */
  readonly keepAliveS: number;
  /** Since its last packet. */
  readonly silentS: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** Output that its link has not handed to the network. */
  readonly bufferedBytes: number;
  readonly subscriptions: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly inflightMessages: number;
  /** Of the whole session. */
  readonly droppedMessages: number;
}

/** The quantities of a client, each readable by itself: ordering many clients by one must not build them all. */
const QUANTITIES = {
  connectedS: ({ connection }, nowUs) =>
    connection === undefined ? 0 : (nowUs - connection.connectedAtUs) / US_PER_S,
  silentS: ({ connection }, nowUs) =>
    connection === undefined ? 0 : (nowUs - connection.lastReceivedAt) / US_PER_S,
  receivedMessages: ({ connection }) => connection?.receivedMessages ?? 0,
  receivedBytes: ({ connection }) => connection?.receivedBytes ?? 0,
  sentMessages: ({ connection }) => connection?.sentMessages ?? 0,
  sentBytes: ({ connection }) => connection?.sentBytes ?? 0,
  bufferedBytes: ({ connection }) => connection?.link.bufferedBytes ?? 0,
  subscriptions: ({ subscriptionCount }) => subscriptionCount,
  queuedMessages: ({ backlog }) => backlog?.queuedMessages ?? 0,
  queuedBytes: ({ backlog }) => backlog?.queuedBytes ?? 0,
  inflightMessages: ({ backlog }) => backlog?.inflightMessages ?? 0,
  droppedMessages: ({ dropped }) => dropped,
} as const satisfies Partial<Record<keyof ClientReading, (session: Session, nowUs: number) => number>>;

type Quantity = keyof typeof QUANTITIES;

const QUANTITY_NAMES = Object.keys(QUANTITIES) as readonly Quantity[];

/** What clients can be ordered by: names upwards, quantities downwards. */
export const CLIENT_SORTS: readonly ClientSort[] = ["clientId", ...QUANTITY_NAMES];

/** One of `CLIENT_SORTS`. */
export type ClientSort = "clientId" | Quantity;

/** Which clients to list. */
export interface ClientQuery {
  /** Default `clientId`. */
  readonly sort?: ClientSort;
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  /** Clients to skip, up to 100,000; default 0. */
  readonly offset?: number;
}

/** A page of clients. */
export interface ClientPage {
  /** With and without a connection, on all pages. */
  readonly total: number;
  readonly clients: readonly ClientReading[];
}

export const MAX_PAGE = 1_000;
export const MAX_OFFSET = 100_000;
const DEFAULT_PAGE = 100;

/** A page of the clients, ties by client id. One pass over all sessions; memory is bounded by the page and its offset. */
export function listClients(sessions: Iterable<Session>, clock: Clock, query: ClientQuery = {}): ClientPage {
  const sort = query.sort ?? "clientId";
  const limit = within(query.limit ?? DEFAULT_PAGE, 1, MAX_PAGE);
  const offset = within(query.offset ?? 0, 0, MAX_OFFSET);
  const nowUs = clock.nowUs();
  let total = 0;
  function* keyed(): Iterable<{ readonly session: Session; readonly key: number }> {
    for (const session of sessions) {
      total += 1;
      yield { session, key: sort === "clientId" ? 0 : QUANTITIES[sort](session, nowUs) };
    }
  }
  const found = topOf(
    keyed(),
    offset + limit,
    (a, b) => a.key > b.key || (a.key === b.key && a.session.clientId < b.session.clientId),
  );
  return { total, clients: found.slice(offset).map(({ session }) => readClient(session, nowUs)) };
}

const within = (value: number, minimum: number, maximum: number): number =>
  Math.min(Math.max(Math.trunc(value), minimum), maximum);

/** What there is to know of one client. */
export function readClient(session: Session, nowUs: number): ClientReading {
  const { connection } = session;
  const quantities = {} as Record<Quantity, number>;
  for (const name of QUANTITY_NAMES) quantities[name] = QUANTITIES[name](session, nowUs);
  return {
    clientId: session.clientId,
    isConnected: connection !== undefined,
    remoteAddress: connection?.link.remoteAddress ?? "",
    protocolVersion: (connection?.version ?? session.version) === 5 ? "5" : "3.1.1",
    keepAliveS: connection?.keepAliveS ?? 0,
    ...quantities,
  };
}

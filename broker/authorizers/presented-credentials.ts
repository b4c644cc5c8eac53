import type { LinkPeer, UpgradeRequest } from "fleetrig/protocol";

/** What came over HTTP: a request of its own, or the one that became a WebSocket. */
export type HttpFacts = UpgradeRequest;

/** What came with CONNECT. */
export interface MqttFacts {
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly clientId: string | undefined;
}

/** Everything that an authorizer can be told of a client. */
export interface Presented {
  /** The client spoke TLS. */
  readonly isSecure: boolean;
  readonly serverName: string | undefined;
  readonly http: HttpFacts | undefined;
  readonly mqtt: MqttFacts | undefined;
}

export const presentedBy = (
  peer: LinkPeer | undefined,
  facts: { readonly http?: HttpFacts; readonly mqtt?: MqttFacts },
): Presented => ({
  isSecure: peer?.transport === "tls" || peer?.transport === "wss",
  serverName: peer?.serverName,
  http: facts.http ?? peer?.upgrade,
  mqtt: facts.mqtt,
});

const NAME_KEY = "x-amz-customauthorizer-name";
const SIGNATURE_KEY = "x-amz-customauthorizer-signature";
/** Pairs of one query that are looked at. */
const MAX_PAIRS = 100;

/** The text behind the first question mark; empty for none. */
export const queryOf = (text: string): string => {
  const mark = text.indexOf("?");
  return mark === -1 ? "" : text.slice(mark + 1);
};

/**
 * Looks values up where clients may put them: in the query of the user name, in headers, in the query of the request.
 * A plus stays a plus: signatures are base64, and devices often do not encode them.
 */
export class PresentedValues {
  private readonly sources: readonly ((name: string) => string | undefined)[];

  constructor({ mqtt, http }: Presented) {
    const fromUser = pairsOf(queryOf(mqtt?.username ?? ""));
    const fromTarget = pairsOf(queryOf(http?.target ?? ""));
    this.sources = [
      (name) => fromUser.get(name),
      (name) => http?.headers.get(name.toLowerCase()),
      (name) => fromTarget.get(name),
    ];
  }

  get authorizerName(): string | undefined {
    return this.find(NAME_KEY);
  }

  get signature(): string | undefined {
    return this.find(SIGNATURE_KEY);
  }

  find(name: string): string | undefined {
    for (const source of this.sources) {
      const value = source(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** The first value of each name. */
function pairsOf(query: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (query === "") return pairs;
  for (const pair of query.split("&", MAX_PAIRS)) {
    const [name = "", ...value] = pair.split("=");
    const key = decoded(name);
    if (key !== "" && !pairs.has(key)) pairs.set(key, decoded(value.join("=")));
  }
  return pairs;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

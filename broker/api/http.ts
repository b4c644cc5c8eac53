import type { LinkPeer } from "fleetrig/protocol";

/** One HTTP request as the gateway hands it on: whole, bounded, and not interpreted. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as they came, percent-encoded. */
  readonly target: string;
  /** Names in lower case; values of repeated headers joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly remoteAddress: string;
  /** What the transport knows of the client; undefined over plain HTTP. */
  readonly peer?: LinkPeer;
  /** The same object in all requests of one connection; absent where there is none. */
  readonly connection?: object;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Who is behind a request, as far as it was proven. */
export type Caller =
  /** Nobody asked for credentials: plain HTTP on loopback while none are configured. May do everything. */
  | { readonly kind: "operator" }
  /** Signed with SigV4. */
  | { readonly kind: "credentials"; readonly accessKeyId: string; readonly arn: string }
  /** Showed an X.509 certificate that is registered and ACTIVE: policies decide. */
  | { readonly kind: "certificate"; readonly certificateId: string }
  /** A custom authorizer vouches for it: `policies` are the documents it gave. */
  | { readonly kind: "authorizer"; readonly principalId: string; readonly policies: readonly string[] }
  /** Nothing was shown where something is needed. */
  | { readonly kind: "anonymous" };

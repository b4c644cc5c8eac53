import { type Clock, type FleetrigError, US_PER_S } from "fleetrig/kernel";
import type { Caller, HttpRequest } from "../api/http.js";
import { cloudError } from "../cloud-error.js";
import type { Authorization } from "./authorizer-response.js";
import type { Authorizer } from "./authorizer-store.js";
import type { CustomAuthorization } from "./custom-authorization.js";
import { presentedBy, PresentedValues } from "./presented-credentials.js";

/** A decision that holds for the rest of a connection, until it is to be renewed. */
interface Remembered {
  readonly authorizer: Authorizer;
  readonly token: string | undefined;
  readonly authorization: Authorization;
  readonly goodUntilUs: number;
}

/** Custom authorizers for requests over HTTP (REF §12). */
export class HttpAuthorization {
  /** AWS: results are kept for clients with persistent connections. */
  private readonly remembered = new WeakMap<object, Remembered>();

  constructor(
    private readonly clock: Clock,
    private readonly custom: CustomAuthorization,
  ) {}

  /**
   * @param known Who it is without an authorizer. Signatures and certificates speak for themselves; who is trusted
   * anyway is asked about only where an authorizer is named.
   * @returns who an authorizer says it is, or what the client is told instead; undefined where the request is none of
   * an authorizer's business.
   */
  callerOf(request: HttpRequest, known: Caller): Promise<Caller | FleetrigError> | undefined {
    if (known.kind !== "anonymous" && known.kind !== "operator") return undefined;
    const { target, headers, peer, connection } = request;
    const presented = presentedBy(peer, { http: { target, headers } });
    const values = new PresentedValues(presented);
    if (known.kind === "operator" && values.authorizerName === undefined) return undefined;
    const authorizer = this.custom.chosenBy(values, presented.serverName);
    if (authorizer === undefined) return undefined;
    if (typeof authorizer === "string") return Promise.resolve(refused(authorizer));
    const token = authorizer.tokenKeyName === undefined ? undefined : values.find(authorizer.tokenKeyName);
    const remembered = connection && this.recall(connection, authorizer, token);
    if (remembered !== undefined) return Promise.resolve(callerOf(remembered));
    return new Promise((resolve) => {
      this.custom.askWith(authorizer, { presented, token, signature: values.signature }, (verdict) => {
        if (!verdict.ok) return resolve(refused(verdict.explanation));
        const { authorization } = verdict;
        if (connection !== undefined && authorizer.enableCachingForHttp)
          this.remembered.set(connection, {
            authorizer,
            token,
            authorization,
            goodUntilUs: this.clock.nowUs() + authorization.refreshAfterS * US_PER_S,
          });
        resolve(callerOf(authorization));
      });
    });
  }

  /** Only for the same token and the authorizer as it is now: an update makes another object of it. */
  private recall(
    connection: object,
    authorizer: Authorizer,
    token: string | undefined,
  ): Authorization | undefined {
    const known = this.remembered.get(connection);
    if (known === undefined || known.authorizer !== authorizer || known.token !== token) return undefined;
    // Without a token there is nothing that tells two clients of one connection apart.
    if (token === undefined || this.clock.nowUs() >= known.goodUntilUs) return undefined;
    return known.authorization;
  }
}

const callerOf = ({ principalId, policyDocuments }: Authorization): Caller => ({
  kind: "authorizer",
  principalId,
  policies: policyDocuments,
});

/** The client learns no more than that. */
const refused = (explanation: string): FleetrigError =>
  cloudError("ForbiddenException", "The authorizer does not let this request pass.", {
    context: { explanation },
  });

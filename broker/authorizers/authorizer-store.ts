import type { KeyObject } from "node:crypto";
import { type Clock, isJsonObject } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type ListPage, pageByName } from "../list-page.js";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";
import { readSigningKey } from "./token-signature.js";

type AuthorizerStatus = "ACTIVE" | "INACTIVE";

/** A custom authorizer: a function that says who a client is and what it may do (REF §12). */
export interface Authorizer {
  readonly authorizerName: string;
  authorizerFunctionArn: string;
  /** Header or parameter that has the token; undefined where tokens are not used. */
  tokenKeyName: string | undefined;
  /** PEM by name; a token is good when any of them verifies it. */
  tokenSigningPublicKeys: Readonly<Record<string, string>>;
  status: AuthorizerStatus;
  readonly signingDisabled: boolean;
  enableCachingForHttp: boolean;
  readonly createdAtMs: number;
  modifiedAtMs: number;
}

/** AWS: UpdateAuthorizer. */
export interface UpdateAuthorizerRequest {
  readonly authorizerName: string;
  readonly authorizerFunctionArn?: string;
  readonly tokenKeyName?: string;
  readonly tokenSigningPublicKeys?: Readonly<Record<string, string>>;
  readonly status?: AuthorizerStatus;
  readonly enableCachingForHttp?: boolean;
}

/** AWS: CreateAuthorizer. */
export interface CreateAuthorizerRequest extends UpdateAuthorizerRequest {
  readonly authorizerFunctionArn: string;
  /** Default false: tokens must be signed. */
  readonly signingDisabled?: boolean;
}

/** AWS: ListAuthorizers. */
export interface ListAuthorizersRequest {
  readonly pageSize?: number;
  readonly marker?: string;
  /** By name. Default true. */
  readonly ascendingOrder?: boolean;
  readonly status?: AuthorizerStatus;
}

const MAX_AUTHORIZERS = 100;
const MAX_KEYS = 10;
const DEFAULT_KEY = "default";

/** The authorizers of the account, by name, and which of them is the default. */
export class AuthorizerStore {
  private readonly table: RecordTable<Authorizer>;
  private readonly defaults: RecordTable<string>;
  private readonly keys = new WeakMap<Authorizer["tokenSigningPublicKeys"], readonly KeyObject[]>();

  constructor(
    private readonly clock: Clock,
    records: RecordBook,
  ) {
    this.table = records.table("authorizers", AUTHORIZER_CODEC);
    this.defaults = records.table<string>("default-authorizer", {
      write: (name) => name,
      read: (value) => (typeof value === "string" ? value : undefined),
    });
  }

  find(authorizerName: string): Authorizer | undefined {
    return this.table.get(authorizerName);
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  get(authorizerName: string): Authorizer {
    const authorizer = this.table.get(authorizerName);
    if (authorizer !== undefined) return authorizer;
    throw cloudError("ResourceNotFoundException", `There is no authorizer ${authorizerName}.`, {
      hint: "aws iot list-authorizers shows those that there are.",
    });
  }

  /** The one that is asked when a client names none. */
  get default(): Authorizer | undefined {
    const name = this.defaults.get(DEFAULT_KEY);
    return name === undefined ? undefined : this.table.get(name);
  }

  /** The keys that verify tokens. */
  keysOf({ tokenSigningPublicKeys }: Authorizer): readonly KeyObject[] {
    let keys = this.keys.get(tokenSigningPublicKeys);
    if (keys === undefined) {
      keys = Object.entries(tokenSigningPublicKeys).map(([name, pem]) => readSigningKey(name, pem));
      this.keys.set(tokenSigningPublicKeys, keys);
    }
    return keys;
  }

  /** @throws {FleetrigError} CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED, CLOUD_INVALID_REQUEST */
  create(request: CreateAuthorizerRequest): Authorizer {
    const { authorizerName, signingDisabled = false } = request;
    if (this.table.has(authorizerName))
      throw cloudError(
        "ResourceAlreadyExistsException",
        `There is an authorizer ${authorizerName} already.`,
        {
          members: { resourceId: authorizerName },
        },
      );
    if (this.table.size >= MAX_AUTHORIZERS)
      throw cloudError("LimitExceededException", `There are ${MAX_AUTHORIZERS} authorizers already.`);
    const nowMs = this.clock.wallMs();
    const authorizer: Authorizer = {
      authorizerName,
      authorizerFunctionArn: request.authorizerFunctionArn,
      tokenKeyName: request.tokenKeyName,
      tokenSigningPublicKeys: { ...request.tokenSigningPublicKeys },
      status: request.status ?? "ACTIVE",
      signingDisabled,
      enableCachingForHttp: request.enableCachingForHttp ?? false,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
    };
    this.assertUsable(authorizer);
    this.table.set(authorizerName, authorizer);
    return authorizer;
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(request: UpdateAuthorizerRequest): Authorizer {
    const before = this.get(request.authorizerName);
    const { tokenSigningPublicKeys = before.tokenSigningPublicKeys } = request;
    const after: Authorizer = {
      ...before,
      authorizerFunctionArn: request.authorizerFunctionArn ?? before.authorizerFunctionArn,
      tokenKeyName: request.tokenKeyName ?? before.tokenKeyName,
      tokenSigningPublicKeys,
      status: request.status ?? before.status,
      enableCachingForHttp: request.enableCachingForHttp ?? before.enableCachingForHttp,
      modifiedAtMs: this.clock.wallMs(),
    };
    this.assertUsable(after);
    this.table.set(after.authorizerName, after);
    return after;
  }

  /** AWS: only an inactive authorizer can be deleted. @throws {FleetrigError} CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  delete(authorizerName: string): void {
    if (this.get(authorizerName).status === "ACTIVE")
      throw cloudError("DeleteConflictException", `Authorizer ${authorizerName} is active.`, {
        hint: "aws iot update-authorizer --status INACTIVE comes first.",
      });
    this.table.delete(authorizerName);
    if (this.defaults.get(DEFAULT_KEY) === authorizerName) this.defaults.delete(DEFAULT_KEY);
  }

  list({
    pageSize = 250,
    marker,
    ascendingOrder = true,
    status,
  }: ListAuthorizersRequest): ListPage<Authorizer> {
    const listed = Array.from(this.table.values()).filter(
      (authorizer) => status === undefined || authorizer.status === status,
    );
    const request = marker === undefined ? {} : { nextToken: marker };
    return pageByName(listed, request, {
      nameOf: ({ authorizerName }) => authorizerName,
      defaultSize: pageSize,
      isDescending: !ascendingOrder,
    });
  }

  /** Takes the place of the one before. @throws {FleetrigError} CLOUD_NOT_FOUND */
  setDefault(authorizerName: string): void {
    this.get(authorizerName);
    this.defaults.set(DEFAULT_KEY, authorizerName);
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  describeDefault(): Authorizer {
    const authorizer = this.default;
    if (authorizer !== undefined) return authorizer;
    throw cloudError("ResourceNotFoundException", "There is no default authorizer.", {
      hint: "aws iot set-default-authorizer names one.",
    });
  }

  /** @throws {FleetrigError} CLOUD_NOT_FOUND */
  clearDefault(): void {
    this.describeDefault();
    this.defaults.delete(DEFAULT_KEY);
  }

  private assertUsable(authorizer: Authorizer): void {
    const { signingDisabled, tokenKeyName, tokenSigningPublicKeys } = authorizer;
    const count = Object.keys(tokenSigningPublicKeys).length;
    if (!signingDisabled && (tokenKeyName === undefined || count === 0))
      throw cloudError("InvalidRequestException", "Signed tokens need a tokenKeyName and a public key.", {
        hint: "Give both, or disable signing.",
      });
    if (count > MAX_KEYS)
      throw cloudError("InvalidRequestException", `An authorizer has at most ${MAX_KEYS} public keys.`);
    this.keysOf(authorizer);
  }
}

const AUTHORIZER_CODEC: RecordCodec<Authorizer> = {
  write: ({ tokenKeyName, tokenSigningPublicKeys, ...rest }) => ({
    ...rest,
    tokenSigningPublicKeys: { ...tokenSigningPublicKeys },
    ...(tokenKeyName !== undefined && { tokenKeyName }),
  }),
  read: (value, key) => {
    if (!isJsonObject(value) || value["authorizerName"] !== key) return undefined;
    const isWhole =
      typeof value["authorizerFunctionArn"] === "string" &&
      isJsonObject(value["tokenSigningPublicKeys"]) &&
      typeof value["status"] === "string" &&
      typeof value["signingDisabled"] === "boolean" &&
      typeof value["enableCachingForHttp"] === "boolean" &&
      typeof value["createdAtMs"] === "number" &&
      typeof value["modifiedAtMs"] === "number";
    return isWhole ? ({ tokenKeyName: undefined, ...value } as unknown as Authorizer) : undefined;
  },
};

import { type Clock, isJsonObject } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { type ListPage, pageByName } from "../list-page.js";
import type { RecordBook, RecordCodec, RecordTable } from "../records/index.js";

/** A name for an IAM role, by which devices get credentials of it (REF §1). */
export interface RoleAlias {
  readonly roleAlias: string;
  readonly roleArn: string;
  /** 900 to 43,200. */
  readonly credentialDurationSeconds: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** AWS: UpdateRoleAlias. */
export interface UpdateRoleAliasRequest {
  readonly roleAlias: string;
  readonly roleArn?: string;
  readonly credentialDurationSeconds?: number;
}

/** AWS: CreateRoleAlias. */
export interface CreateRoleAliasRequest extends UpdateRoleAliasRequest {
  readonly roleArn: string;
}

/** AWS: ListRoleAliases. */
export interface ListRoleAliasesRequest {
  readonly pageSize?: number;
  readonly marker?: string;
  /** By name. Default true. */
  readonly ascendingOrder?: boolean;
}

const DEFAULT_DURATION_S = 3_600;
const DEFAULT_PAGE = 25;
const MAX_ALIASES = 100;
const ROLE_ARN = /^arn:aws[a-z-]{0,12}:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

/** The role aliases of the account, by name. */
export class RoleAliases {
  private readonly table: RecordTable<RoleAlias>;

  constructor(
    private readonly clock: Clock,
    records: RecordBook,
  ) {
    this.table = records.table("role-aliases", CODEC);
  }

  find(roleAlias: string): RoleAlias | undefined {
    return this.table.get(roleAlias);
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  get(roleAlias: string): RoleAlias {
    const found = this.table.get(roleAlias);
    if (found !== undefined) return found;
    throw cloudError("ResourceNotFoundException", `There is no role alias ${roleAlias}.`, {
      hint: "aws iot list-role-aliases shows those that there are.",
    });
  }

  /** @throws FleetrigError CLOUD_ALREADY_EXISTS, CLOUD_LIMIT_EXCEEDED, CLOUD_INVALID_REQUEST */
  create(request: CreateRoleAliasRequest, roleAliasArn: string): RoleAlias {
    const { roleAlias, roleArn, credentialDurationSeconds = DEFAULT_DURATION_S } = request;
    if (this.table.has(roleAlias))
      throw cloudError("ResourceAlreadyExistsException", `There is a role alias ${roleAlias} already.`, {
        members: { resourceId: roleAlias, resourceArn: roleAliasArn },
      });
    if (this.table.size >= MAX_ALIASES)
      throw cloudError("LimitExceededException", `There are ${MAX_ALIASES} role aliases already.`);
    assertRole(roleArn);
    const nowMs = this.clock.wallMs();
    const row = { roleAlias, roleArn, credentialDurationSeconds, createdAtMs: nowMs, modifiedAtMs: nowMs };
    this.table.set(roleAlias, row);
    return row;
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(request: UpdateRoleAliasRequest): void {
    const before = this.get(request.roleAlias);
    const { roleArn = before.roleArn, credentialDurationSeconds = before.credentialDurationSeconds } =
      request;
    assertRole(roleArn);
    const modifiedAtMs = this.clock.wallMs();
    this.table.set(before.roleAlias, { ...before, roleArn, credentialDurationSeconds, modifiedAtMs });
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  delete(roleAlias: string): void {
    this.get(roleAlias);
    this.table.delete(roleAlias);
  }

  list({
    pageSize = DEFAULT_PAGE,
    marker,
    ascendingOrder = true,
  }: ListRoleAliasesRequest): ListPage<RoleAlias> {
    const request = marker === undefined ? {} : { nextToken: marker };
    return pageByName(this.table.values(), request, {
      nameOf: ({ roleAlias }) => roleAlias,
      defaultSize: pageSize,
      isDescending: !ascendingOrder,
    });
  }
}

function assertRole(roleArn: string): void {
  if (ROLE_ARN.test(roleArn)) return;
  throw cloudError(
    "InvalidRequestException",
    `${JSON.stringify(roleArn.slice(0, 200))} is not the ARN of a role.`,
    {
      hint: "It is like arn:aws:iam::123456789012:role/device-role; the role need not exist here.",
    },
  );
}

const CODEC: RecordCodec<RoleAlias> = {
  write: (row) => ({ ...row }),
  read: (value, key) => {
    if (!isJsonObject(value)) return undefined;
    const { roleAlias, roleArn, credentialDurationSeconds, createdAtMs, modifiedAtMs } = value;
    if (roleAlias !== key || typeof roleArn !== "string" || typeof credentialDurationSeconds !== "number")
      return undefined;
    if (typeof createdAtMs !== "number" || typeof modifiedAtMs !== "number") return undefined;
    return { roleAlias: key, roleArn, credentialDurationSeconds, createdAtMs, modifiedAtMs };
  },
};

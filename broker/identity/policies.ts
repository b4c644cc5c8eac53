import { cloudError } from "../cloud-error.js";
import { type CompiledPolicy, compilePolicy, parsePolicyDocument } from "../policy/index.js";
import type { RecordTable } from "../records/index.js";
import type { IdentityTableOptions } from "./certificates.js";
import { CreationOrder, type MarkerPage, type MarkerPageRequest } from "./creation-order.js";
import { type Policy, policyCodec, type PolicyVersionRow } from "./policy-row.js";
import type { IdentityLimits } from "./settings.js";

/** Policies that are kept ready to be asked, beside those that live connections hold. */
const COMPILED_MAX = 4096;

/** The policies of the account and their versions. */
export class Policies {
  private readonly table: RecordTable<Policy>;
  private readonly all = new CreationOrder<Policy>();
  private readonly compiled = new Map<string, CompiledPolicy>();
  private lastOrder = 0;

  constructor(private readonly options: IdentityTableOptions & { readonly limits: IdentityLimits }) {
    this.table = options.records.table("policies", policyCodec);
    options.records.whenRestored(() => this.restored());
  }

  find(policyName: string): Policy | undefined {
    return this.table.get(policyName);
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  get(policyName: string): Policy {
    const policy = this.table.get(policyName);
    if (policy !== undefined) return policy;
    throw cloudError("ResourceNotFoundException", `There is no policy ${policyName}.`, {
      hint: "aws iot list-policies shows the policies of this account.",
    });
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND */
  version(policyName: string, versionId: string): PolicyVersionRow {
    const version = this.get(policyName).versions.find((candidate) => candidate.versionId === versionId);
    if (version !== undefined) return version;
    throw cloudError("ResourceNotFoundException", `Policy ${policyName} has no version ${versionId}.`);
  }

  /** The version in force. */
  defaultVersion({ versions, defaultVersionId }: Policy): PolicyVersionRow {
    return versions.find(({ versionId }) => versionId === defaultVersionId)!;
  }

  /** AWS: CreatePolicy. @throws FleetrigError CLOUD_ALREADY_EXISTS, POLICY_MALFORMED */
  create(policyName: string, policyDocument: string): Policy {
    this.check(policyDocument);
    if (this.table.has(policyName))
      throw cloudError("ResourceAlreadyExistsException", `There is a policy ${policyName}.`, {
        members: { resourceId: policyName },
        hint: "aws iot create-policy-version --set-as-default changes a policy.",
      });
    const nowMs = this.options.clock.wallMs();
    const policy: Policy = {
      order: (this.lastOrder += 1),
      policyName,
      versions: [{ versionId: "1", policyDocument, createdAtMs: nowMs }],
      defaultVersionId: "1",
      lastVersion: 1,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
    };
    this.table.set(policyName, policy);
    this.all.add(policy);
    this.options.events.emit({ kind: "policy", change: "created", policyName });
    return policy;
  }

  /** AWS: CreatePolicyVersion. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_VERSIONS_LIMIT, POLICY_MALFORMED */
  createVersion(
    policyName: string,
    { policyDocument, setAsDefault = false }: { policyDocument: string; setAsDefault?: boolean | undefined },
  ): PolicyVersionRow {
    const policy = this.get(policyName);
    this.check(policyDocument);
    const { versionsPerPolicy } = this.options.limits;
    if (policy.versions.length >= versionsPerPolicy)
      throw cloudError(
        "VersionsLimitExceededException",
        `Policy ${policyName} has ${versionsPerPolicy} versions.`,
        { hint: "Delete one first: aws iot delete-policy-version." },
      );
    policy.lastVersion += 1;
    const createdAtMs = this.options.clock.wallMs();
    const version = { versionId: String(policy.lastVersion), policyDocument, createdAtMs };
    policy.versions.push(version);
    if (setAsDefault) this.putInForce(policy, version.versionId);
    else this.table.changed(policyName);
    return version;
  }

  /** AWS: SetDefaultPolicyVersion. @throws FleetrigError CLOUD_NOT_FOUND */
  setDefaultVersion(policyName: string, versionId: string): void {
    this.version(policyName, versionId);
    const policy = this.get(policyName);
    if (policy.defaultVersionId !== versionId) this.putInForce(policy, versionId);
  }

  /** AWS: DeletePolicyVersion. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  deleteVersion(policyName: string, versionId: string): void {
    const version = this.version(policyName, versionId);
    const policy = this.get(policyName);
    if (policy.defaultVersionId === versionId)
      throw cloudError(
        "DeleteConflictException",
        `Version ${versionId} of policy ${policyName} is the default version.`,
        { hint: "Make another one the default first, or delete the policy." },
      );
    policy.versions.splice(policy.versions.indexOf(version), 1);
    this.table.changed(policyName);
  }

  /** Whether it is attached anywhere is the caller's question. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  delete(policyName: string): void {
    const policy = this.get(policyName);
    if (policy.versions.length > 1)
      throw cloudError("DeleteConflictException", `Policy ${policyName} has more than one version.`, {
        hint: "Delete the versions that are not the default first.",
      });
    this.table.delete(policyName);
    this.all.remove(policy);
    this.compiled.delete(policyName);
    this.options.events.emit({ kind: "policy", change: "deleted", policyName });
  }

  list(request: MarkerPageRequest = {}): MarkerPage<Policy> {
    return this.all.page(request);
  }

  /** The version in force, ready to be asked; undefined for a policy that does not exist. */
  compile(policyName: string): CompiledPolicy | undefined {
    const known = this.compiled.get(policyName);
    if (known !== undefined) return known;
    const policy = this.table.get(policyName);
    if (policy === undefined) return undefined;
    const compiled = compilePolicy(this.parse(this.defaultVersion(policy).policyDocument), policyName);
    if (this.compiled.size >= COMPILED_MAX) this.compiled.delete(this.compiled.keys().next().value!);
    this.compiled.set(policyName, compiled);
    return compiled;
  }

  private putInForce(policy: Policy, versionId: string): void {
    const { policyName } = policy;
    policy.defaultVersionId = versionId;
    policy.modifiedAtMs = this.options.clock.wallMs();
    this.compiled.delete(policyName);
    this.table.changed(policyName);
    this.options.events.emit({ kind: "policy", change: "updated", policyName });
  }

  private check(policyDocument: string): void {
    this.parse(policyDocument);
  }

  private parse(policyDocument: string): ReturnType<typeof parsePolicyDocument> {
    return parsePolicyDocument(policyDocument, { maxCharacters: this.options.limits.policyCharacters });
  }

  private restored(): void {
    this.table.sort((a, b) => a.order - b.order);
    for (const policy of this.table.values()) {
      this.all.add(policy);
      this.lastOrder = policy.order;
    }
  }
}

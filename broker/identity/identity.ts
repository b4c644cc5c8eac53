import type { Clock, Random } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { CertificateIssuer } from "../pki/index.js";
import type { CompiledPolicy } from "../policy/index.js";
import type { RecordBook } from "../records/index.js";
import { CaCertificates } from "./ca-certificates.js";
import { CertificateRegistration } from "./certificate-registration.js";
import { Certificates } from "./certificates.js";
import { type MarkerPage, type MarkerPageRequest } from "./creation-order.js";
import { type IdentityChange, IdentityEvents } from "./identity-events.js";
import { LoggingOptionsBook } from "./logging-options.js";
import { Policies } from "./policies.js";
import {
  certificateOf,
  groupOf,
  groupTarget,
  pageOfNames,
  type PolicyTarget,
  PolicyTargets,
} from "./policy-targets.js";
import { DEFAULT_IDENTITY_LIMITS, type IdentityLimits } from "./settings.js";
import { type IdentityThings, NO_THINGS } from "./things-port.js";

/** What identity works with. */
export interface IdentityOptions {
  readonly clock: Clock;
  /** Draws the registration code. */
  readonly random: Random;
  readonly records: RecordBook;
  /** Who signs certificates; asked when the first one is needed. */
  readonly issuer: () => CertificateIssuer;
  /** The registry. Default: no things. */
  readonly things?: IdentityThings;
  readonly limits?: Partial<IdentityLimits>;
}

/**
 * Who there is and what they may do: certificates, CA certificates, policies and what they are attached to
 * (REF §10). Requests have AWS's names; refusals are FleetrigErrors with AWS's error name in `context.awsError`.
 */
export class Identity {
  readonly certificates: Certificates;
  readonly authorities: CaCertificates;
  readonly registration: CertificateRegistration;
  readonly policies: Policies;
  readonly targets: PolicyTargets;
  readonly things: IdentityThings;
  readonly logging: LoggingOptionsBook;
  private readonly events = new IdentityEvents();

  constructor(private readonly options: IdentityOptions) {
    const { clock, records, random, issuer, things = NO_THINGS } = options;
    const limits = { ...DEFAULT_IDENTITY_LIMITS, ...options.limits };
    const parts = { clock, records, events: this.events, limits };
    this.certificates = new Certificates(parts);
    this.authorities = new CaCertificates({ ...parts, random });
    this.policies = new Policies(parts);
    this.targets = new PolicyTargets(parts);
    this.things = things;
    this.logging = new LoggingOptionsBook(records);
    const { certificates, authorities } = this;
    this.registration = new CertificateRegistration({ certificates, authorities, issuer });
  }

  /** Milliseconds since 1970: certificates are valid from and to. */
  wallMs(): number {
    return this.options.clock.wallMs();
  }

  /** Calls `listener` after every change, in order of subscription. */
  onChange(listener: (change: IdentityChange) => void): void {
    this.events.listen(listener);
  }

  /**
   * AWS: DeleteCertificate.
   * @param request `forceDelete` detaches policies; things must be detached all the same.
   * @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_CERTIFICATE_STATE, CLOUD_DELETE_CONFLICT
   */
  deleteCertificate(request: {
    readonly certificateId: string;
    readonly forceDelete?: boolean | undefined;
  }): void {
    const { certificateId, forceDelete = false } = request;
    const certificate = this.certificates.get(certificateId);
    const hasThings = this.things.hasThings(certificateId);
    const hasPolicies = this.targets.policiesOf(certificateId).length > 0;
    if (hasThings || (hasPolicies && !forceDelete))
      throw cloudError(
        "DeleteConflictException",
        `Certificate ${certificateId} is attached to ${hasThings ? "a thing" : "a policy"}.`,
        { hint: hasThings ? "aws iot detach-thing-principal" : "aws iot detach-policy, or --force-delete" },
      );
    this.certificates.delete(certificate);
    this.targets.detachAll(certificateId);
  }

  /** AWS: TransferCertificate. @throws FleetrigError also CLOUD_INVALID_REQUEST for one with policies */
  transferCertificate(
    certificateId: string,
    to: { readonly account: string; readonly message?: string | undefined },
  ): void {
    this.certificates.get(certificateId);
    if (this.targets.policiesOf(certificateId).length > 0)
      throw cloudError("InvalidRequestException", `Certificate ${certificateId} has policies.`, {
        hint: "Detach them before the transfer.",
      });
    this.certificates.transfer(certificateId, to);
  }

  /** AWS: AttachPolicy. Idempotent. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_LIMIT_EXCEEDED */
  attachPolicy(policyName: string, target: PolicyTarget): void {
    this.policies.get(policyName);
    this.assertTarget(target);
    this.targets.attach(policyName, target);
  }

  /** AWS: DetachPolicy. What is not attached is not missed. */
  detachPolicy(policyName: string, target: PolicyTarget): void {
    this.targets.detach(policyName, target);
  }

  /** AWS: DetachPrincipalPolicy. @throws FleetrigError CLOUD_NOT_FOUND */
  detachPrincipalPolicy(policyName: string, principal: PolicyTarget): void {
    this.policies.get(policyName);
    this.assertTarget(principal);
    this.targets.detach(policyName, principal);
  }

  /** AWS: DeletePolicy. @throws FleetrigError CLOUD_NOT_FOUND, CLOUD_DELETE_CONFLICT */
  deletePolicy(policyName: string): void {
    this.policies.get(policyName);
    if (this.targets.isAttached(policyName))
      throw cloudError("DeleteConflictException", `Policy ${policyName} is attached.`, {
        hint: "aws iot list-targets-for-policy shows to what.",
      });
    this.policies.delete(policyName);
  }

  /** AWS: ListAttachedPolicies. @throws FleetrigError CLOUD_NOT_FOUND */
  listAttachedPolicies(
    target: PolicyTarget,
    request: MarkerPageRequest & { readonly recursive?: boolean | undefined } = {},
  ): MarkerPage<string> {
    this.assertTarget(target);
    const group = groupOf(target);
    const names = this.targets.policiesOf(target);
    if (request.recursive !== true || group === undefined) return pageOfNames(names, request);
    const inherited = this.things
      .ancestorsOf(group)
      .flatMap((ancestor) => this.targets.policiesOf(groupTarget(ancestor)));
    return pageOfNames([...new Set([...names, ...inherited])], request);
  }

  /** AWS: ListTargetsForPolicy. @throws FleetrigError CLOUD_NOT_FOUND */
  listTargetsForPolicy(policyName: string, request: MarkerPageRequest = {}): MarkerPage<PolicyTarget> {
    this.policies.get(policyName);
    return this.targets.targetsOf(policyName, request);
  }

  /** AWS: ListPolicyPrincipals: without thing groups. @throws FleetrigError CLOUD_NOT_FOUND */
  listPolicyPrincipals(policyName: string, request: MarkerPageRequest = {}): MarkerPage<PolicyTarget> {
    this.policies.get(policyName);
    return this.targets.targetsOf(policyName, request, (target) => groupOf(target) === undefined);
  }

  /**
   * Names of the policies in force for a principal that acts as a thing: its own, then those of the thing's groups
   * and their ancestors (REF §10.4).
   */
  policyNamesFor(principal: PolicyTarget, thingName: string | undefined): readonly string[] {
    const own = this.targets.policiesOf(principal);
    if (thingName === undefined) return own;
    const groups = this.things.groupsOf(thingName);
    if (groups.length === 0) return own;
    return [...new Set([...own, ...groups.flatMap((group) => this.targets.policiesOf(groupTarget(group)))])];
  }

  /** Those policies that exist, ready to be asked. */
  compiledFor(policyNames: readonly string[]): readonly CompiledPolicy[] {
    return policyNames.map((name) => this.policies.compile(name)).filter((policy) => policy !== undefined);
  }

  /** May it be attached to things? @param principal A certificate id, or the name of another principal. */
  isPrincipal(principal: string): boolean {
    const certificateId = certificateOf(principal);
    return certificateId === undefined || this.certificates.find(certificateId) !== undefined;
  }

  /** The group is gone, and what was attached to it. */
  groupDeleted(thingGroupName: string): void {
    this.targets.detachAll(groupTarget(thingGroupName));
  }

  /** @throws FleetrigError CLOUD_NOT_FOUND for a certificate or group that does not exist */
  assertTarget(target: PolicyTarget): void {
    const certificateId = certificateOf(target);
    if (certificateId !== undefined) this.certificates.get(certificateId);
    const group = groupOf(target);
    if (group === undefined) return;
    const kind = this.things.groupKind(group);
    if (kind === "static") return;
    throw kind === undefined
      ? cloudError("ResourceNotFoundException", `There is no thing group ${group}.`)
      : cloudError("InvalidRequestException", `Thing group ${group} is dynamic, and such have no policies.`);
  }
}

import { createHash } from "node:crypto";
import { FleetrigError, type Random } from "fleetrig/kernel";
import type { Account } from "../account.js";
import { cloudError } from "../cloud-error.js";
import { type Identity, pemOf } from "../identity/index.js";
import { parseCertificate } from "../pki/index.js";
import type { Registry } from "../registry/index.js";
import { uuidV4 } from "../uuid.js";
import type { PlannedCertificate, PlannedPolicy, ProvisioningPlan } from "./plan.js";
import type { ProvisioningSettings } from "./settings.js";
import { provisionThing } from "./thing-provisioning.js";
import { UndoLog } from "./undo-log.js";

/** What a plan has brought about. */
export interface Provisioned {
  readonly thingName: string | undefined;
  readonly certificateId: string | undefined;
  readonly certificatePem: string | undefined;
  /** ARNs by the logical ids of the template. */
  readonly resourceArns: Readonly<Record<string, string>>;
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

export interface ProvisionerOptions {
  readonly registry: Registry;
  readonly identity: Identity;
  /** For things whose template gives them no name. */
  readonly random: Random;
  readonly settings: ProvisioningSettings;
}

/** Carries out plans: everything in them, or nothing. */
export class Provisioner {
  constructor(private readonly options: ProvisionerOptions) {}

  /**
   * @param account Whose ARNs the answer has.
   * @throws {FleetrigError} CLOUD_REGISTRATION_FAILED, CLOUD_CONFLICTING_UPDATE; then nothing is different from before
   */
  carryOut(plan: ProvisioningPlan, account: Account): Provisioned {
    const undo = new UndoLog();
    try {
      return this.build(plan, account, undo);
    } catch (error) {
      undo.all();
      throw registrationFailure(error);
    }
  }

  private build(plan: ProvisioningPlan, account: Account, undo: UndoLog): Provisioned {
    const { registry, random, settings } = this.options;
    const { thing, certificate } = plan;
    const resourceArns = new Map<string, string>();
    const policyNames = plan.policies.map((policy) => {
      const name = this.policy(policy, undo);
      resourceArns.set(policy.logicalId, account.arn("policy", name));
      return name;
    });
    const thingName = thing && (thing.thingName ?? uuidV4(random));
    if (thing !== undefined && thingName !== undefined) {
      provisionThing(registry, { ...thing, thingName }, { undo, defaultOverride: settings.defaultOverride });
      resourceArns.set(thing.logicalId, account.arn("thing", thingName));
    }
    const certificateId = certificate && this.certificate(certificate, undo);
    if (certificate !== undefined && certificateId !== undefined) {
      resourceArns.set(certificate.logicalId, account.arn("cert", certificateId));
      this.attach(certificateId, policyNames, thingName, undo);
      this.setStatus(certificateId, certificate);
    }
    return {
      thingName,
      certificateId,
      certificatePem:
        certificateId === undefined
          ? undefined
          : pemOf(this.options.identity.certificates.get(certificateId)),
      resourceArns: Object.fromEntries(resourceArns),
      deviceConfiguration: plan.deviceConfiguration,
    };
  }

  /** AWS: a policy that the template brings along is named by the hash of its document. */
  private policy(planned: PlannedPolicy, undo: UndoLog): string {
    const { policies } = this.options.identity;
    if ("policyName" in planned) return policies.get(planned.policyName).policyName;
    const policyName = createHash("sha256").update(planned.policyDocument).digest("hex");
    if (policies.find(policyName) === undefined) {
      policies.create(policyName, planned.policyDocument);
      undo.with(() => policies.delete(policyName));
    }
    return policyName;
  }

  /** The id of the certificate, which is registered by now. */
  private certificate({ source, status }: PlannedCertificate, undo: UndoLog): string {
    const { certificates, registration } = this.options.identity;
    if (source.kind === "id") return certificates.get(source.certificateId).certificateId;
    if (source.kind === "pem") {
      const { certificateId } = parseCertificate(source.certificatePem);
      if (certificates.find(certificateId) !== undefined) return certificateId;
      const { certificatePem, caCertificatePem } = source;
      registration.register({ certificatePem, caCertificatePem, status });
      undo.with(() => this.removeCertificate(certificateId));
      return certificateId;
    }
    const { certificate } = registration.createFromCsr({
      certificateSigningRequest: source.csr,
      setAsActive: status === "ACTIVE",
    });
    undo.with(() => this.removeCertificate(certificate.certificateId));
    return certificate.certificateId;
  }

  private removeCertificate(certificateId: string): void {
    const { identity } = this.options;
    identity.certificates.update(certificateId, "INACTIVE");
    identity.deleteCertificate({ certificateId, forceDelete: true });
  }

  private attach(
    certificateId: string,
    policyNames: readonly string[],
    thingName: string | undefined,
    undo: UndoLog,
  ): void {
    const { identity, registry } = this.options;
    for (const policyName of policyNames) {
      if (identity.targets.policiesOf(certificateId).includes(policyName)) continue;
      identity.attachPolicy(policyName, certificateId);
      undo.with(() => identity.detachPolicy(policyName, certificateId));
    }
    if (thingName === undefined) return;
    const isAttached = registry.principals
      .thingsOf(certificateId)
      .some(({ thing }) => thing.name === thingName);
    if (isAttached) return;
    registry.principals.attach({ thingName, principal: certificateId });
    undo.with(() => registry.principals.detach({ thingName, principal: certificateId }));
  }

  /** Last of all, since what waits for its activation cannot be made to wait again. */
  private setStatus(certificateId: string, planned: PlannedCertificate): void {
    const { certificates } = this.options.identity;
    const current = certificates.get(certificateId).status;
    if (current === planned.status) return;
    if (current !== "PENDING_ACTIVATION") {
      const override = planned.statusOverride ?? (planned.statusIsStated ? "REPLACE" : "DO_NOTHING");
      if (override === "DO_NOTHING") return;
      if (override === "FAIL")
        throw cloudError("ConflictingResourceUpdateException", `Certificate ${certificateId} is ${current}.`);
    }
    certificates.update(certificateId, planned.status);
  }
}

/** AWS: RegisterThing has two errors for what goes wrong with resources. */
function registrationFailure(error: unknown): unknown {
  if (!(error instanceof FleetrigError)) return error;
  if (error.context["awsError"] === "ConflictingResourceUpdateException") return error;
  const { hint, sentence } = error;
  return cloudError("ResourceRegistrationFailureException", sentence, {
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}

import { type Clock, isJsonObject } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { Identity } from "../identity/index.js";
import type { CertificateIssuer, IssuedCertificate } from "../pki/index.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { Deadlines, type Expiring } from "./deadlines.js";
import { discardCertificate } from "./discard-certificate.js";
import type { TemplateStore } from "./template-store.js";

/** A claim certificate with its keys. */
export interface ProvisioningClaim extends IssuedCertificate {
  readonly expiresAtMs: number;
}

export interface ProvisioningClaimsOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly account: Account;
  readonly identity: Identity;
  readonly issuer: () => CertificateIssuer;
  readonly templates: TemplateStore;
  readonly lifetimeS: number;
}

/**
 * Claims that a trusted user hands to a device on the spot (REF §11.3): certificates that are good for one template and a
 * few minutes, and are gone afterwards.
 */
export class ProvisioningClaims {
  private readonly deadlines: Deadlines<Expiring>;

  constructor(private readonly options: ProvisioningClaimsOptions) {
    const { clock, records } = options;
    const table: RecordTable<Expiring> = records.table<Expiring>("provisioning-claims", {
      write: (row) => ({ ...row }),
      read: (value) =>
        isJsonObject(value) && typeof value["expiresAtMs"] === "number"
          ? (value as unknown as Expiring)
          : undefined,
    });
    this.deadlines = new Deadlines(clock, table, (certificateId) =>
      discardCertificate(options.identity, certificateId),
    );
    records.whenRestored(() => this.deadlines.rearm());
  }

  /** AWS: CreateProvisioningClaim. @throws {FleetrigError} CLOUD_NOT_FOUND */
  create(templateName: string): ProvisioningClaim | Promise<ProvisioningClaim> {
    const { clock, issuer, lifetimeS, templates } = this.options;
    templates.get(templateName);
    const expiresAtMs = clock.wallMs() + lifetimeS * 1000;
    const issued = issuer().createKeysAndCertificate({ notAfterMs: expiresAtMs });
    const register = (made: IssuedCertificate): ProvisioningClaim =>
      this.register(made, templateName, expiresAtMs);
    return issued instanceof Promise ? issued.then(register) : register(issued);
  }

  stop(): void {
    this.deadlines.stop();
  }

  private register(made: IssuedCertificate, templateName: string, expiresAtMs: number): ProvisioningClaim {
    const { identity } = this.options;
    const { certificateId } = identity.certificates.addIssued(made, "ACTIVE");
    identity.attachPolicy(this.policyFor(templateName), certificateId);
    this.deadlines.set(certificateId, { expiresAtMs });
    return { ...made, expiresAtMs };
  }

  /** The policy of all claims for a template; operators see it and may narrow it down. */
  private policyFor(templateName: string): string {
    const { policies } = this.options.identity;
    const policyName = `ProvisioningClaim_${templateName}`;
    if (policies.find(policyName) === undefined)
      policies.create(policyName, claimPolicy(this.options.account, templateName));
    return policyName;
  }
}

/** What a claim may do: connect, ask for a certificate, and have it provisioned with the one template. */
function claimPolicy(account: Account, templateName: string): string {
  const topics = ["$aws/certificates/create*", `$aws/provisioning-templates/${templateName}/provision/*`];
  const on = (kind: "topic" | "topicfilter"): string[] => topics.map((topic) => account.arn(kind, topic));
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: account.arn("client", "*") },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: on("topic") },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: on("topicfilter") },
    ],
  });
}

import type { Clock, EventSink, Random } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { Artifacts } from "../artifacts/index.js";
import type { HookRunner } from "../hooks/index.js";
import type { Identity } from "../identity/index.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import type { ApplicationMessage } from "../message.js";
import type { CertificateIssuer } from "../pki/index.js";
import type { RecordBook } from "../records/index.js";
import type { Registry } from "../registry/index.js";
import { ProvisioningClaims } from "./claims.js";
import { discardCertificate } from "./discard-certificate.js";
import { FleetProvisioning } from "./fleet-provisioning.js";
import { JustInTimeProvisioning } from "./just-in-time.js";
import { OwnershipTokens } from "./ownership-tokens.js";
import { planOf } from "./plan.js";
import { type Provisioned, Provisioner } from "./provisioner.js";
import { RegistrationTasks } from "./registration-tasks.js";
import { DEFAULT_PROVISIONING_SETTINGS, type ProvisioningSettings } from "./settings.js";
import { parseTemplate } from "./template.js";
import { TemplateStore } from "./template-store.js";

/** What provisioning works with. */
export interface ProvisioningOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly records: RecordBook;
  readonly account: Account;
  readonly bus: MessageBus;
  readonly registry: Registry;
  readonly identity: Identity;
  readonly issuer: () => CertificateIssuer;
  readonly hooks: HookRunner;
  readonly artifacts: () => Pick<Artifacts, "presign" | "store">;
  /** A text that nobody can guess. */
  readonly newToken: () => string;
  /** Who is behind a client: a certificate's id. Undefined where nobody asks. */
  readonly principalOf: (clientId: string) => string | undefined;
  readonly settings?: Partial<ProvisioningSettings>;
}

/** Everything that makes things of devices (REF §11): templates, fleet provisioning, claims, and just in time. */
export class Provisioning implements ReservedTopicService {
  readonly templates: TemplateStore;
  readonly claims: ProvisioningClaims;
  readonly justInTime: JustInTimeProvisioning;
  readonly tasks: RegistrationTasks;
  private readonly provisioner: Provisioner;
  private readonly tokens: OwnershipTokens;
  private readonly fleet: FleetProvisioning;

  constructor(private readonly options: ProvisioningOptions) {
    const { clock, records, identity, issuer, random } = options;
    const settings = { ...DEFAULT_PROVISIONING_SETTINGS, ...options.settings };
    const templates = new TemplateStore({
      clock,
      records,
      isInUse: (templateName) => identity.authorities.list({ templateName, pageSize: 1 }).items.length > 0,
    });
    this.templates = templates;
    this.provisioner = new Provisioner({ ...options, settings, random });
    this.tokens = new OwnershipTokens({
      ...options,
      lifetimeS: settings.ownershipTokenS,
      expired: (certificateId) => this.forget(certificateId),
    });
    const { provisioner, tokens } = this;
    this.fleet = new FleetProvisioning({ ...options, templates, tokens, provisioner, settings });
    this.claims = new ProvisioningClaims({ ...options, issuer, templates, lifetimeS: settings.claimS });
    this.tasks = new RegistrationTasks({ ...options, provisioner });
    this.justInTime = new JustInTimeProvisioning({ ...options, templates, provisioner });
  }

  handle(message: ApplicationMessage): Routing {
    return this.fleet.handle(message);
  }

  /**
   * AWS: RegisterThing.
   * @param account Whose ARNs the answer has.
   * @throws {FleetrigError} CLOUD_INVALID_REQUEST, CLOUD_REGISTRATION_FAILED, CLOUD_CONFLICTING_UPDATE
   */
  registerThing(
    request: { readonly templateBody: string; readonly parameters?: Readonly<Record<string, string>> },
    account: Account = this.options.account,
  ): Provisioned {
    const values = new Map(Object.entries(request.parameters ?? {}));
    return this.provisioner.carryOut(planOf(parseTemplate(request.templateBody), { values }), account);
  }

  stop(): void {
    this.tokens.stop();
    this.claims.stop();
    this.tasks.stop();
  }

  /** AWS: a certificate that was not provisioned in time is deleted. */
  private forget(certificateId: string): void {
    const { identity } = this.options;
    if (identity.certificates.find(certificateId)?.status !== "PENDING_ACTIVATION") return;
    discardCertificate(identity, certificateId);
  }
}

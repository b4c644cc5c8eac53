import type { Clock, EventSink } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { CaCertificate, JustInTimeArrival } from "../identity/index.js";
import type { CertificateDescription, NameAttribute } from "../pki/index.js";
import { refusalOf } from "./device-refusal.js";
import { assertOwnCertificate } from "./fleet-provisioning.js";
import { planOf } from "./plan.js";
import type { Provisioner } from "./provisioner.js";
import {
  CERTIFICATE_ID,
  CERTIFICATE_PREFIX,
  parseTemplate,
  type SubjectParameter,
  type Template,
} from "./template.js";
import type { TemplateStore } from "./template-store.js";

export interface JustInTimeOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly account: Account;
  readonly templates: TemplateStore;
  readonly provisioner: Provisioner;
}

/** The words of templates for the attributes of a subject (REF §11.2). */
const ATTRIBUTES: Readonly<Record<SubjectParameter, NameAttribute>> = {
  Country: "Country",
  Organization: "Organization",
  OrganizationalUnit: "OrganizationalUnit",
  DistinguishedNameQualifier: "DistinguishedNameQualifier",
  StateName: "State",
  CommonName: "CommonName",
  SerialNumber: "SerialNumber",
};

/** Just-in-time provisioning: the first CONNECT with a certificate of a registered CA makes a thing of its device. */
export class JustInTimeProvisioning {
  constructor(private readonly options: JustInTimeOptions) {}

  /**
   * Provisions a certificate that was just registered as PENDING_ACTIVATION. A CA without a template leaves that to
   * whoever listens to the event of the registration. What fails is told as an event, and the certificate stays as it is.
   */
  provision({ certificate, description, authority }: JustInTimeArrival): void {
    const { clock, events, provisioner, account } = this.options;
    const { registrationConfig: config } = authority;
    const { certificateId } = certificate;
    if (config === undefined) return;
    const template = config.templateName ?? "";
    try {
      const parsed = this.templateOf(config);
      if (parsed === undefined) return;
      const subject = subjectParameters(description);
      const plan = planOf(parsed, {
        values: new Map([...subject, [CERTIFICATE_ID, certificateId]]),
        chosenByDevice: new Set(subject.keys()),
      });
      assertOwnCertificate(plan.certificate?.source, certificateId);
      const { thingName = "" } = provisioner.carryOut(plan, account);
      events.emit({
        type: "provisioning.provisioned",
        atUs: clock.nowUs(),
        template,
        thing: thingName,
        certificateId,
      });
    } catch (error) {
      const refused = refusalOf(error);
      if (refused === undefined) throw error;
      const { errorCode, errorMessage: reason } = refused;
      const clientId = certificateId;
      events.emit({
        type: "provisioning.rejected",
        atUs: clock.nowUs(),
        clientId,
        template,
        errorCode,
        reason,
      });
    }
  }

  private templateOf({
    templateName,
    templateBody,
  }: NonNullable<CaCertificate["registrationConfig"]>): Template | undefined {
    if (templateBody !== undefined) return parseTemplate(templateBody);
    if (templateName === undefined) return undefined;
    const { templates } = this.options;
    const template = templates.get(templateName);
    return template.enabled && template.type === "JITP" ? templates.current(template) : undefined;
  }
}

/** Parameters from the subject; of several values the first. */
function subjectParameters({ subject }: CertificateDescription): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [parameter, attribute] of Object.entries(ATTRIBUTES)) {
    const value = subject.attributes[attribute]?.[0];
    if (value !== undefined) values.set(CERTIFICATE_PREFIX + parameter, value);
  }
  return values;
}

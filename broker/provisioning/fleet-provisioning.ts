import { type Clock, type EventSink, isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import { formatReservedTopic, parseReservedTopic, type ProvisioningTopic, type QoS } from "fleetrig/protocol";
import type { Account } from "../account.js";
import type { HookRunner } from "../hooks/index.js";
import { type Identity, pemOf } from "../identity/index.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import type { ApplicationMessage } from "../message.js";
import type { CertificateIssuer, IssuedCertificate } from "../pki/index.js";
import { accessDenied, bodyOf, invalidRequest, refusalOf, tooMany } from "./device-refusal.js";
import type { OwnershipTokens } from "./ownership-tokens.js";
import { readPayload, writePayload } from "./payload.js";
import { planOf } from "./plan.js";
import type { Provisioned, Provisioner } from "./provisioner.js";
import { RequestRates } from "./request-rates.js";
import type { ProvisioningSettings } from "./settings.js";
import { CERTIFICATE_ID } from "./template.js";
import type { ProvisioningTemplate, TemplateStore } from "./template-store.js";

export interface FleetProvisioningOptions {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly events: EventSink;
  readonly account: Account;
  readonly identity: Identity;
  readonly issuer: () => CertificateIssuer;
  readonly hooks: HookRunner;
  readonly templates: TemplateStore;
  readonly tokens: OwnershipTokens;
  readonly provisioner: Provisioner;
  readonly settings: ProvisioningSettings;
  /** Who is behind a client: a certificate's id. Undefined where nobody asks. */
  readonly principalOf: (clientId: string) => string | undefined;
}

/** Somebody's request, to be answered once. */
interface Request {
  readonly clientId: string;
  readonly principal: string | undefined;
  readonly topic: ProvisioningTopic;
  readonly qos: QoS;
  readonly body: JsonObject;
}

const THROTTLED = 429;
const MAX_PARAMETER_CHARS = 4_096;
const MAX_PARAMETER_NAME_CHARS = 2_048;

/**
 * Fleet provisioning over MQTT (REF §11.3): a device that has nothing but a claim gets a certificate, and has it turned
 * into a thing with policies. Answers go to whoever asked, subscribed or not.
 */
export class FleetProvisioning implements ReservedTopicService {
  private readonly rates: RequestRates;

  constructor(private readonly options: FleetProvisioningOptions) {
    this.rates = new RequestRates(options.clock, options.settings);
  }

  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    const { publisher } = message;
    // Answers are the cloud's alone, and wills ask for nothing (REF §2.4).
    if (
      topic?.service !== "provisioning" ||
      topic.message !== "request" ||
      publisher === undefined ||
      message.isWill
    )
      return "consumed";
    const principal = this.options.principalOf(publisher);
    const body = readPayload(message.payload, topic.format);
    const request = { clientId: publisher, principal, topic, qos: message.qos, body: body ?? {} };
    this.answering(request, () => {
      if (!this.rates.take(topic.operation)) throw tooMany();
      // AWS: this one has no payload; what comes all the same means nothing.
      if (topic.operation === "create-keys") return this.createKeys(request);
      if (body === undefined)
        throw invalidRequest(`The payload is not an object in ${topic.format.toUpperCase()}.`);
      if (topic.operation === "create-from-csr") this.createFromCsr(request);
      else this.registerThing(request);
    });
    return "consumed";
  }

  private createKeys(request: Request): void {
    const issued = this.options.issuer().createKeysAndCertificate();
    const answer = (made: IssuedCertificate): void => {
      // Keys that were made in the meantime are not for whoever connected under the same client id since.
      if (this.options.principalOf(request.clientId) !== request.principal) return;
      const certificateOwnershipToken = this.own(made, request);
      this.answer(request, "accepted", {
        certificateId: made.certificateId,
        certificatePem: made.certificatePem,
        privateKey: made.keyPair?.privateKeyPem ?? "",
        certificateOwnershipToken,
      });
    };
    if (!(issued instanceof Promise)) return answer(issued);
    issued.then(
      (made) => this.answering(request, () => answer(made)),
      (error: unknown) => this.refuse(request, error),
    );
  }

  private createFromCsr(request: Request): void {
    const csr = request.body["certificateSigningRequest"];
    if (typeof csr !== "string") throw invalidRequest("certificateSigningRequest must be text.");
    const made = this.options.issuer().certificateFromCsr(csr);
    const certificateOwnershipToken = this.own(made, request);
    this.answer(request, "accepted", {
      certificateOwnershipToken,
      certificateId: made.certificateId,
      certificatePem: made.certificatePem,
    });
  }

  /** Registers a certificate that is to be provisioned. @returns the token that proves whose it is. */
  private own(made: IssuedCertificate, { principal }: Request): string {
    const { identity, tokens } = this.options;
    const { certificateId } = identity.certificates.addIssued(made, "PENDING_ACTIVATION");
    return tokens.issue(certificateId, principal);
  }

  private registerThing(request: Request): void {
    const { templates, tokens, settings } = this.options;
    const template = templates.get(request.topic.templateName ?? "");
    if (!template.enabled || template.type !== "FLEET_PROVISIONING")
      throw invalidRequest(`Template ${template.templateName} is not enabled for fleet provisioning.`);
    const parameters = readParameters(request.body["parameters"], settings.maxParameters);
    const token = request.body["certificateOwnershipToken"] ?? "";
    if (typeof token !== "string") throw invalidRequest("certificateOwnershipToken must be text.");
    const certificateId = tokens.hold(token, request.principal);
    this.whenAllowed({ request, template, certificateId, parameters }, (overrides) => {
      let isUsed = false;
      try {
        const provisioned = this.provision({ template, certificateId, parameters, overrides });
        isUsed = true;
        this.accept(request, template, provisioned);
      } finally {
        tokens.release(certificateId, isUsed);
      }
    });
  }

  /** Asks the template's hook, if it has one; `go` runs at once where there is none. */
  private whenAllowed(
    registration: Registration,
    go: (overrides: ReadonlyMap<string, string>) => void,
  ): void {
    const { request, template, certificateId, parameters } = registration;
    const { hooks, identity, account, tokens } = this.options;
    const hook = template.preProvisioningHook;
    if (hook === undefined) return go(new Map());
    const event = {
      claimCertificateId: request.principal ?? "",
      certificateId,
      certificatePem: pemOf(identity.certificates.get(certificateId)),
      templateArn: account.arn("provisioningtemplate", template.templateName),
      clientId: request.clientId,
      parameters: Object.fromEntries(parameters),
    };
    hooks.invoke(hook.targetArn, event, (outcome) =>
      this.answering(request, () => {
        const overrides = outcome.ok ? overridesOf(outcome.value) : undefined;
        if (overrides !== undefined) return go(overrides);
        tokens.release(certificateId, false);
        throw accessDenied();
      }),
    );
  }

  private provision(what: {
    readonly template: ProvisioningTemplate;
    readonly certificateId: string;
    readonly parameters: ReadonlyMap<string, string>;
    readonly overrides: ReadonlyMap<string, string>;
  }): Provisioned {
    const { template, certificateId, parameters, overrides } = what;
    const { templates, provisioner, account } = this.options;
    const plan = planOf(templates.current(template), {
      values: new Map([...parameters, ...overrides, [CERTIFICATE_ID, certificateId]]),
      chosenByDevice: new Set(
        Array.from(parameters.keys()).filter((name) => !overrides.has(name) && name !== CERTIFICATE_ID),
      ),
    });
    assertOwnCertificate(plan.certificate?.source, certificateId);
    return provisioner.carryOut(plan, account);
  }

  private accept(request: Request, { templateName }: ProvisioningTemplate, provisioned: Provisioned): void {
    const { events, clock } = this.options;
    const { deviceConfiguration, thingName, certificateId } = provisioned;
    events.emit({
      type: "provisioning.provisioned",
      atUs: clock.nowUs(),
      template: templateName,
      thing: thingName ?? "",
      certificateId: certificateId ?? "",
    });
    this.answer(request, "accepted", {
      deviceConfiguration: { ...deviceConfiguration },
      ...(thingName !== undefined && { thingName }),
    });
  }

  /** Runs a step of a request; what it throws is the request's answer. */
  private answering(request: Request, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.refuse(request, error);
    }
  }

  private refuse(request: Request, error: unknown): void {
    const { events, clock } = this.options;
    const refused = refusalOf(error);
    if (refused === undefined) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      events.emit({ type: "api.fault", atUs: clock.nowUs(), requestId: request.clientId, detail });
    }
    const shown = refused ?? {
      statusCode: 500,
      errorCode: "InternalFailure",
      errorMessage: "This is a bug in fleetrig.",
    };
    // Whoever asks too often is not to fill the log as well.
    if (shown.statusCode !== THROTTLED)
      events.emit({
        type: "provisioning.rejected",
        atUs: clock.nowUs(),
        clientId: request.clientId,
        template: request.topic.templateName ?? "",
        errorCode: shown.errorCode,
        reason: shown.errorMessage,
      });
    this.answer(request, "rejected", bodyOf(shown));
  }

  private answer(
    { clientId, topic, qos }: Request,
    message: "accepted" | "rejected",
    body: JsonObject,
  ): void {
    this.options.bus.sendDirect(clientId, {
      topic: formatReservedTopic({ ...topic, message }),
      payload: writePayload(body, topic.format),
      qos: qos === 0 ? 0 : 1,
    });
  }
}

interface Registration {
  readonly request: Request;
  readonly template: ProvisioningTemplate;
  readonly certificateId: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A device provisions the certificate that it was given, whatever parameters a template takes its id from. */
export function assertOwnCertificate(
  source: { readonly kind: string; readonly certificateId?: string } | undefined,
  certificateId: string,
): void {
  if (source !== undefined && source.certificateId !== certificateId)
    throw invalidRequest("The template names another certificate than the one that is provisioned.");
}

function readParameters(value: JsonValue | undefined, maxParameters: number): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!isJsonObject(value)) throw invalidRequest("parameters must be an object.");
  const entries = Object.entries(value);
  if (entries.length > maxParameters)
    throw invalidRequest(`There are more than ${maxParameters} parameters.`);
  return new Map(
    entries.map(([name, text]) => {
      if (
        name.length > MAX_PARAMETER_NAME_CHARS ||
        typeof text !== "string" ||
        text.length > MAX_PARAMETER_CHARS
      )
        throw invalidRequest("Parameters are texts of at most 4096 characters.");
      return [name, text];
    }),
  );
}

/** What a hook wants to be different; undefined when it does not allow the provisioning. */
function overridesOf(answer: JsonValue): ReadonlyMap<string, string> | undefined {
  if (!isJsonObject(answer) || answer["allowProvisioning"] !== true) return undefined;
  const overrides = answer["parameterOverrides"] ?? {};
  if (!isJsonObject(overrides)) return undefined;
  const entries = Object.entries(overrides);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === "string")
    ? new Map(entries)
    : undefined;
}

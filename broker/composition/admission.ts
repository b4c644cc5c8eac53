import { VirtualTime } from "fleetrig/kernel";
import { Audits } from "../audit/index.js";
import { AccessControl, applyRegistryChange, Identity, thingsOf } from "../identity/index.js";
import {
  type CertificateAuthority,
  type CertificateIssuer,
  createCertificateAuthority,
  createVirtualIssuer,
  type VirtualIssuer,
} from "../pki/index.js";
import type { CloudGround } from "./ground.js";
import type { Inventory } from "./inventory.js";

/** Who may do what: certificates, policies, their enforcement on connections, and audits of all that. */
export class Admission {
  readonly identity: Identity;
  /** Undefined where nothing is enforced. */
  readonly access: AccessControl | undefined;
  readonly audits: Audits;
  private ownIssuer: CertificateAuthority | VirtualIssuer | undefined;

  constructor(
    private readonly ground: CloudGround,
    { registry }: Inventory,
  ) {
    const { clock, random, records, account, broker, brokerClock, events, options } = ground;
    const identity = new Identity({
      clock,
      random: random.stream("identity"),
      records,
      issuer: () => this.issuer,
      things: thingsOf(registry),
      ...(options.identity !== undefined && { limits: options.identity }),
    });
    this.identity = identity;
    if (options.access !== undefined) {
      const settings = options.access;
      this.access = new AccessControl({ identity, broker, account, clock: brokerClock, events, settings });
      broker.addHooks(this.access);
    }
    this.audits = new Audits({
      clock,
      random: random.stream("audits"),
      events,
      account,
      identity,
      records,
      registry,
    });
    broker.addHooks(this.audits.connections);
    registry.principals.checkWith((principal) => identity.isPrincipal(principal));
    registry.onChange((change) => applyRegistryChange(change, this));
    this.tag();
  }

  /** Who signs device certificates; an authority of its own is made when it is first asked for. */
  get issuer(): CertificateIssuer {
    return this.ground.options.issuer ?? (this.ownIssuer ??= this.makeIssuer());
  }

  stop(): void {
    this.audits.stop();
    if (this.ownIssuer !== undefined && "stop" in this.ownIssuer) this.ownIssuer.stop();
  }

  private makeIssuer(): CertificateAuthority | VirtualIssuer {
    const { time, brokerClock: clock, random: source } = this.ground;
    const random = source.stream("issuer");
    if (time instanceof VirtualTime) return createVirtualIssuer(random);
    return createCertificateAuthority({ clock, random });
  }

  private tag(): void {
    const { identity, audits } = this;
    const { tags } = this.ground;
    tags.taggable("policy", (name) => identity.policies.find(name) !== undefined);
    tags.taggable("cacert", (id) => identity.authorities.find(id) !== undefined);
    tags.taggable("scheduledaudit", (name) => audits.scheduled.has(name));
    tags.taggable("mitigationaction", (name) => audits.mitigations.has(name));
    identity.onChange((change) => {
      if (!("change" in change) || change.change !== "deleted") return;
      if (change.kind === "policy") tags.forget("policy", change.policyName);
      if (change.kind === "caCertificate") tags.forget("cacert", change.certificateId);
    });
  }
}

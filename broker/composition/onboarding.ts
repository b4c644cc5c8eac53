import { hostSecret, VirtualTime } from "fleetrig/kernel";
import { Authorizers } from "../authorizers/index.js";
import { RoleAliases } from "../credentials/index.js";
import { DomainConfigurations, DomainPins, EndpointDirectory } from "../domains/index.js";
import { HookRunner } from "../hooks/index.js";
import { Provisioning } from "../provisioning/index.js";
import { uuidV4 } from "../uuid.js";
import type { Admission } from "./admission.js";
import type { CloudGround } from "./ground.js";
import type { Inventory } from "./inventory.js";

/** How devices come in that have no identity here yet, or prove it in their own way. */
export class Onboarding {
  readonly hooks: HookRunner;
  readonly authorizers: Authorizers;
  readonly roleAliases: RoleAliases;
  readonly domains: DomainConfigurations;
  readonly domainPins: DomainPins;
  /** Where clients reach this cloud; whoever opens doors for it says so. */
  readonly endpoints = new EndpointDirectory();
  readonly provisioning: Provisioning;

  /** @param artifacts Asked for later: they belong to what devices work with. */
  constructor(
    ground: CloudGround,
    parts: { inventory: Inventory; admission: Admission; artifacts: () => Artifacts },
  ) {
    const { clock, random, records, broker, tags } = ground;
    this.hooks = makeHooks(ground);
    this.authorizers = new Authorizers({
      clock,
      random: random.stream("authorizers"),
      records,
      hooks: this.hooks,
      domainOf: (serverName) => this.domains.ofServerName(serverName)?.authorizerConfig,
    });
    const { authorizers } = this;
    const { access } = parts.admission;
    if (access !== undefined) {
      const source = authorizers.forMqtt((principal) => access.principalChanged(principal));
      broker.addHooks(source);
      access.addSource(source);
    }
    this.roleAliases = new RoleAliases(clock, records);
    this.domains = new DomainConfigurations({
      clock,
      records,
      random: random.stream("domains"),
      endpoints: this.endpoints,
      authorizerExists: (name) => authorizers.store.find(name) !== undefined,
    });
    this.domainPins = new DomainPins(this.domains);
    broker.addHooks(this.domainPins);
    this.provisioning = makeProvisioning(ground, { ...parts, hooks: this.hooks });
    access?.justInTime.provisionWith((arrival) => this.provisioning.justInTime.provision(arrival));
    tags.taggable("authorizer", (name) => authorizers.store.find(name) !== undefined);
    tags.taggable("rolealias", (name) => this.roleAliases.find(name) !== undefined);
    tags.taggable("domainconfiguration", (resource) => this.domains.hasResource(resource));
    tags.taggable("provisioningtemplate", (name) => this.provisioning.templates.find(name) !== undefined);
  }

  stop(): void {
    this.provisioning.stop();
  }
}

type Artifacts = ReturnType<ConstructorParameters<typeof Provisioning>[0]["artifacts"]>;

function makeHooks({ clock, random, events, options }: CloudGround): HookRunner {
  const { hooks, hookSettings, hookDirectory } = options;
  return new HookRunner({
    clock,
    random: random.stream("hooks"),
    ...(hooks !== undefined && { targets: hooks }),
    ...(hookSettings !== undefined && { settings: hookSettings }),
    ...(hookDirectory !== undefined && { baseDirectory: hookDirectory }),
    onFailure: (failure) => events.emit({ type: "hook.failed", atUs: clock.nowUs(), ...failure }),
  });
}

function makeProvisioning(
  { clock, time, random, events, records, account, broker, options }: CloudGround,
  {
    inventory,
    admission,
    artifacts,
    hooks,
  }: { inventory: Inventory; admission: Admission; artifacts: () => Artifacts; hooks: HookRunner },
): Provisioning {
  const tokens = random.stream("ownership-tokens");
  return new Provisioning({
    clock,
    random: random.stream("provisioning"),
    events,
    records,
    account,
    bus: broker,
    registry: inventory.registry,
    identity: admission.identity,
    issuer: () => admission.issuer,
    hooks,
    artifacts,
    newToken: time instanceof VirtualTime ? () => uuidV4(tokens) : hostSecret,
    principalOf: (clientId) => admission.access?.principalOf(clientId)?.principalIdentifier,
    ...(options.provisioning !== undefined && { settings: options.provisioning }),
  });
}

import type { JsonObject, JsonValue, RandomSource } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { MessageBus } from "../message-bus.js";
import type {
  RegisteredGroup,
  RegisteredThing,
  RegisteredType,
  Registry,
  RegistryChange,
} from "../registry/index.js";
import { EventConfigurations, type EventConfigurationsOptions } from "./event-configurations.js";
import { type CloudEvent, EventPublisher } from "./event-publisher.js";

/** What tells of the registry, and to whom. */
export interface RegistryEventsOptions extends EventConfigurationsOptions {
  readonly random: RandomSource;
  readonly bus: MessageBus;
  readonly account: Account;
  readonly registry: Registry;
}

type Change<Kind extends RegistryChange["kind"]> = Extract<RegistryChange, { kind: Kind }>;

/**
 * Publishes changes of the registry on `$aws/events/thing/…` and its siblings (REF §4).
 * @returns what is switched on, for the services that have events of their own.
 */
export function createRegistryEvents(options: RegistryEventsOptions): EventConfigurations {
  const { account, registry } = options;
  const configurations = new EventConfigurations(options);
  const publisher = new EventPublisher({ ...options, configurations });
  const events = new RegistryEvents(registry, account);
  registry.onChange((change) => {
    const event = events.of(change);
    if (event !== undefined) publisher.publish(event);
  });
  return configurations;
}

/** Times are in milliseconds, and what is not there is null, in all of these payloads. */
class RegistryEvents {
  constructor(
    private readonly registry: Registry,
    private readonly account: Account,
  ) {}

  /** The event that AWS has for a change, if it has one. */
  of(change: RegistryChange): CloudEvent | undefined {
    switch (change.kind) {
      case "thing":
        return this.thing(change);
      case "thing-type":
        return this.thingType(change);
      case "type-association":
        return this.typeAssociation(change);
      case "group":
        return this.group(change);
      case "hierarchy":
        return this.hierarchy(change);
      case "membership":
        return this.membership(change);
      default:
        return undefined;
    }
  }

  private thing({ operation, thing }: Change<"thing">): CloudEvent {
    return {
      type: "THING",
      topic: `thing/${thing.name}/${operation}`,
      eventType: "THING_EVENT",
      operation: operation.toUpperCase(),
      body: () => ({
        accountId: this.account.accountId,
        thingId: this.registry.ids.ofThing(thing),
        thingName: thing.name,
        versionNumber: thing.version,
        thingTypeName: thing.typeName ?? null,
        attributes: thing.attributes,
      }),
    };
  }

  private thingType({ operation, type }: Change<"thing-type">): CloudEvent {
    return {
      type: "THING_TYPE",
      topic: `thingType/${type.name}/${operation}`,
      eventType: "THING_TYPE_EVENT",
      operation: operation.toUpperCase(),
      body: () => this.thingTypeBody(type),
    };
  }

  private thingTypeBody(type: RegisteredType): JsonObject {
    const { mqtt5Configuration, searchableAttributes = [], thingTypeDescription = null } = type.properties;
    const propagating = mqtt5Configuration?.propagatingAttributes ?? [];
    return {
      accountId: this.account.accountId,
      thingTypeId: this.registry.ids.of("thing-type", type),
      thingTypeName: type.name,
      isDeprecated: type.deprecatedAtMs !== undefined,
      deprecationDate: type.deprecatedAtMs ?? null,
      searchableAttributes: [...searchableAttributes],
      propagatingAttributes: propagating.map((attribute) => ({ ...attribute })),
      description: thingTypeDescription,
    };
  }

  private typeAssociation({ operation, thing, thingTypeName }: Change<"type-association">): CloudEvent {
    return {
      type: "THING_TYPE_ASSOCIATION",
      topic: `thingTypeAssociation/thing/${thing.name}/${thingTypeName}`,
      eventType: "THING_TYPE_ASSOCIATION_EVENT",
      operation: operation.toUpperCase(),
      body: () => ({
        thingId: this.registry.ids.ofThing(thing),
        thingName: thing.name,
        thingTypeName,
      }),
    };
  }

  private group({ operation, group }: Change<"group">): CloudEvent {
    return {
      type: "THING_GROUP",
      topic: `thingGroup/${group.name}/${operation}`,
      eventType: "THING_GROUP_EVENT",
      operation: operation.toUpperCase(),
      body: () => this.groupBody(group),
    };
  }

  private groupBody(group: RegisteredGroup): JsonObject {
    const [, ...ancestors] = group.lineage;
    const parent = group.parent === undefined ? null : this.groupId(group.parent);
    return {
      accountId: this.account.accountId,
      thingGroupId: this.groupId(group),
      thingGroupName: group.name,
      versionNumber: group.version,
      parentGroupName: group.parent?.name ?? null,
      parentGroupId: parent,
      description: group.description ?? null,
      rootToParentThingGroups: ancestors
        .map(
          (ancestor): JsonValue => ({
            groupArn: this.account.arn("thinggroup", ancestor.name),
            groupId: this.groupId(ancestor),
          }),
        )
        .reverse(),
      attributes: group.attributes,
      // AWS names its own record of a dynamic group's query; here it is the group itself.
      dynamicGroupMappingId: group.dynamic === undefined ? null : this.groupId(group),
    };
  }

  private hierarchy({ operation, parent, child }: Change<"hierarchy">): CloudEvent {
    return {
      type: "THING_GROUP_HIERARCHY",
      topic: `thingGroupHierarchy/thingGroup/${parent.name}/childThingGroup/${child.name}/${operation}`,
      eventType: "THING_GROUP_HIERARCHY_EVENT",
      operation: operation.toUpperCase(),
      body: () => ({
        accountId: this.account.accountId,
        thingGroupId: this.groupId(parent),
        thingGroupName: parent.name,
        childGroupId: this.groupId(child),
        childGroupName: child.name,
      }),
    };
  }

  private membership({ operation, thing, group }: Change<"membership">): CloudEvent {
    return {
      type: "THING_GROUP_MEMBERSHIP",
      topic: `thingGroupMembership/thingGroup/${group.name}/thing/${thing.name}/${operation}`,
      eventType: "THING_GROUP_MEMBERSHIP_EVENT",
      operation: operation.toUpperCase(),
      body: () => this.membershipBody(thing, group),
    };
  }

  private membershipBody(thing: RegisteredThing, group: RegisteredGroup): JsonObject {
    const groupId = this.groupId(group);
    const thingId = this.registry.ids.ofThing(thing);
    return {
      accountId: this.account.accountId,
      groupArn: this.account.arn("thinggroup", group.name),
      groupId,
      thingArn: this.account.arn("thing", thing.name),
      thingId,
      membershipId: this.registry.ids.ofMembership(groupId, thingId),
    };
  }

  private groupId(group: RegisteredGroup): string {
    return this.registry.ids.of("thing-group", group);
  }
}

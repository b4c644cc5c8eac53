import type { RegisteredThing } from "./thing.js";
import type { RegisteredGroup } from "./thing-group.js";
import type { RegisteredType } from "./thing-types.js";

type CrudOperation = "created" | "updated" | "deleted";

/** What has just changed in the registry: rows are as they are after the change, deleted ones as they were. */
export type RegistryChange =
  | { readonly kind: "thing"; readonly operation: CrudOperation; readonly thing: RegisteredThing }
  | { readonly kind: "thing-type"; readonly operation: CrudOperation; readonly type: RegisteredType }
  | {
      /** A thing got a type or lost it; a change of type is both. */
      readonly kind: "type-association";
      readonly operation: "created" | "deleted";
      readonly thing: RegisteredThing;
      readonly thingTypeName: string;
    }
  | { readonly kind: "group"; readonly operation: CrudOperation; readonly group: RegisteredGroup }
  | {
      readonly kind: "hierarchy";
      readonly operation: "added" | "removed";
      readonly parent: RegisteredGroup;
      readonly child: RegisteredGroup;
    }
  | {
      /** Of one group; ancestors have gained or lost the thing with it. */
      readonly kind: "membership";
      readonly operation: "added" | "removed";
      readonly thing: RegisteredThing;
      readonly group: RegisteredGroup;
      /** Told before "deleted" of a thing that goes with all its memberships. */
      readonly isThingDeleted: boolean;
    }
  | {
      readonly kind: "billing-group";
      readonly operation: CrudOperation;
      readonly billingGroupName: string;
    }
  | {
      readonly kind: "billing-membership";
      readonly operation: "added" | "removed";
      readonly thing: RegisteredThing;
      readonly billingGroupName: string;
    }
  | {
      readonly kind: "principal";
      readonly operation: "attached" | "detached";
      readonly thing: RegisteredThing;
      /** Certificate id, or the name of another principal. */
      readonly principal: string;
    }
  | {
      /** AWS's metric AddThingToDynamicThingGroupsFailed: the thing is in as many groups as it may be. */
      readonly kind: "dynamic-membership-refused";
      readonly thing: RegisteredThing;
      readonly group: RegisteredGroup;
    };

export type RegistryListener = (change: RegistryChange) => void;

/** Who is told about changes, in order of subscription. */
export class RegistryChanges {
  private readonly listeners: RegistryListener[] = [];

  subscribe(listener: RegistryListener): void {
    this.listeners.push(listener);
  }

  announce(change: RegistryChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

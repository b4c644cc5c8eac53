import { cloudError } from "../cloud-error.js";
import type { RegisteredThing, Registry } from "../registry/index.js";
import type { PlannedThing } from "./plan.js";
import type { Override, ThingPart } from "./template-resources.js";
import type { UndoLog } from "./undo-log.js";

type NamedThing = PlannedThing & { readonly thingName: string };

interface ThingProvisioning {
  readonly undo: UndoLog;
  readonly defaultOverride: Override;
}

/** Registers a thing, or brings one that exists into the planned state as far as the overrides want it (REF §11.4). */
export function provisionThing(registry: Registry, planned: NamedThing, how: ThingProvisioning): void {
  const existing = registry.thing(planned.thingName);
  if (existing === undefined) createThing(registry, planned, how.undo);
  else changeThing(registry, existing, { planned, ...how });
}

function createThing(registry: Registry, planned: NamedThing, undo: UndoLog): void {
  const { thingName, thingTypeName, attributes, billingGroup, thingGroups = [] } = planned;
  registry.createThing({
    thingName,
    ...(thingTypeName !== undefined && { thingTypeName }),
    ...(attributes !== undefined && { attributes }),
    ...(billingGroup !== undefined && { billingGroupName: billingGroup }),
  });
  undo.with(() => registry.deleteThing({ thingName }));
  // Leaving the groups is part of the deletion.
  for (const thingGroupName of new Set(thingGroups))
    registry.addThingToThingGroup({ thingName, thingGroupName });
}

interface ThingChange extends ThingProvisioning {
  readonly planned: NamedThing;
}

function changeThing(registry: Registry, thing: RegisteredThing, change: ThingChange): void {
  const { planned, undo } = change;
  const { thingName } = planned;
  const attributes = overrideOf(change, "AttributePayload", planned.attributes !== undefined);
  const type = overrideOf(change, "ThingTypeName", planned.thingTypeName !== undefined);
  const groups = overrideOf(change, "ThingGroups", planned.thingGroups !== undefined);
  if (attributes !== "DO_NOTHING" || type !== "DO_NOTHING") {
    const before = { attributes: thing.attributes, typeName: thing.typeName };
    registry.updateThing({
      thingName,
      ...(type === "REPLACE" &&
        planned.thingTypeName !== undefined && { thingTypeName: planned.thingTypeName }),
      ...(attributes !== "DO_NOTHING" &&
        planned.attributes !== undefined && {
          attributes: planned.attributes,
          merge: attributes === "MERGE",
        }),
    });
    undo.with(() =>
      registry.updateThing({
        thingName,
        attributes: before.attributes,
        merge: false,
        ...(before.typeName === undefined ? { removeThingType: true } : { thingTypeName: before.typeName }),
      }),
    );
  }
  if (groups !== "DO_NOTHING") changeGroups(registry, change, groups === "REPLACE");
}

function changeGroups(registry: Registry, { planned, undo }: ThingChange, isReplacing: boolean): void {
  const { thingName, thingGroups = [] } = planned;
  const before = registry
    .listThingGroupsForThing(thingName)
    .filter((name) => registry.thingGroup(name)?.dynamic === undefined);
  const added = thingGroups.filter((name) => !before.includes(name));
  const removed = isReplacing ? before.filter((name) => !thingGroups.includes(name)) : [];
  registry.updateThingGroupsForThing({ thingName, thingGroupsToAdd: added, thingGroupsToRemove: removed });
  undo.with(() =>
    registry.updateThingGroupsForThing({ thingName, thingGroupsToAdd: removed, thingGroupsToRemove: added }),
  );
}

/** What becomes of one part of a thing that exists. @throws {FleetrigError} CLOUD_CONFLICTING_UPDATE */
function overrideOf(
  { planned, defaultOverride }: ThingChange,
  part: ThingPart,
  isPlanned: boolean,
): Override {
  if (!isPlanned) return "DO_NOTHING";
  const override = planned.overrides.get(part) ?? defaultOverride;
  if (override !== "FAIL") return override;
  throw cloudError("ConflictingResourceUpdateException", `Thing ${planned.thingName} exists already.`, {
    hint: `The template's OverrideSettings say FAIL for ${part}.`,
  });
}

import { createRandomSource, LANE, VirtualTime } from "fleetrig/kernel";
import { createRegistry, RecordBook, type Registry } from "fleetrig/broker";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PaperJournal } from "../records/paper-journal.js";
import { entries, MAX_DEPTH, MAX_GROUPS, type Model, REQUEST, type World } from "./registry-model.js";

interface StoredWorld extends World {
  readonly journal: PaperJournal;
}

function restart(world: StoredWorld): void {
  const before = snapshot(world.registry);
  world.journal.commit();
  const time = new VirtualTime();
  time.advance(world.time.lane(LANE.services).nowUs());
  const book = new RecordBook(world.journal);
  // Ids have to outlive a process with another seed.
  world.registry = start(time, book, 2);
  world.time = time;
  world.journal.restoreInto(book);
  expect(snapshot(world.registry)).toEqual(before);
}

function start(time: VirtualTime, records: RecordBook, seed: number): Registry {
  return createRegistry({
    clock: time.lane(LANE.services),
    random: createRandomSource(seed),
    records,
    limits: { maxGroupsPerThing: MAX_GROUPS, maxGroupDepth: MAX_DEPTH },
  });
}

/** Everything that can be asked of a registry. */
function snapshot(registry: Registry): unknown {
  const things = Array.from(registry.allThings(), ({ name }) => name);
  const { thingGroups } = registry.listThingGroups();
  const types = registry.thingTypes.list({}).items;
  const billing = registry.billingGroups.list({}).items;
  return {
    things: things.map((name) => ({
      ...registry.describeThing(name),
      groups: registry.listThingGroupsForThing(name),
      lineage: registry.lineageOf(name),
      principals: registry.principals.ofThing({ thingName: name }).items,
    })),
    groups: thingGroups.map((name) => ({
      ...registry.describeThingGroup(name),
      members: registry.listThingsInThingGroup({ thingGroupName: name }).things,
      all: registry.membersOf(`group:${name}`),
    })),
    types: types.map((type) => ({
      name: type.name,
      id: registry.thingTypes.idOf(type),
      createdAtMs: type.createdAtMs,
      deprecatedAtMs: type.deprecatedAtMs,
      things: type.thingCount,
    })),
    billing: billing.map((group) => ({
      name: group.name,
      id: registry.billingGroups.idOf(group),
      things: registry.billingGroups.thingsIn({ billingGroupName: group.name }).items.map(({ name }) => name),
    })),
    principals: ["p1", "p2", "p3"].map((principal) =>
      registry.principals
        .thingsOf(principal)
        .map(({ thing, isExclusive }) => `${thing.name}/${isExclusive}`)
        .sort(),
    ),
  };
}

function assertAgrees({ model, registry }: World): void {
  expect(Array.from(registry.allThings(), ({ name }) => name).sort()).toEqual(
    [...model.things.keys()].sort(),
  );
  for (const [name, thing] of model.things) {
    const { attributes, version, thingTypeName, billingGroupName } = registry.describeThing(name);
    expect({ version, thingTypeName, billingGroupName, attributes: entries(attributes) }).toEqual({
      version: thing.version,
      thingTypeName: thing.type,
      billingGroupName: thing.billing,
      attributes: entries(thing.attributes),
    });
    expect([...registry.listThingGroupsForThing(name)].sort()).toEqual([...thing.groups].sort());
    const { items } = registry.principals.ofThing({ thingName: name });
    expect(new Map(items.map(({ principal, isExclusive }) => [principal, isExclusive]))).toEqual(
      thing.principals,
    );
  }
  expect([...registry.listThingGroups().thingGroups].sort()).toEqual([...model.groups.keys()].sort());
  for (const { name, thingCount } of registry.thingTypes.list({}).items)
    expect(thingCount).toBe([...model.things.values()].filter(({ type }) => type === name).length);
}

describe("registry", () => {
  it("does what a simple model does, whatever is asked in whatever order, and keeps it over restarts", () => {
    const step = fc.oneof(
      { weight: 20, arbitrary: REQUEST },
      { weight: 1, arbitrary: fc.constant("restart") },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const time = new VirtualTime();
        const journal = new PaperJournal();
        const registry = start(time, new RecordBook(journal), 1);
        const model: Model = { things: new Map(), types: new Map(), groups: new Map(), billing: new Set() };
        const world: StoredWorld = { model, journal, registry, time };
        for (const [index, take] of steps.entries()) {
          if (typeof take === "string") {
            restart(world);
            continue;
          }
          const { expected, actual } = take(world);
          expect(actual, `step ${index}`).toBe(expected);
        }
        assertAgrees(world);
      }),
      { numRuns: 500 },
    );
  });
});

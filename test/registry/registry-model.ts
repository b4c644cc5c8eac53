import { US_PER_S, type VirtualTime } from "fleetrig/kernel";
import type { Registry } from "fleetrig/broker";
import fc from "fast-check";
import { awsErrorOf } from "./aws-error.js";

/** What is expected of a registry, kept as simply as possible. */
interface ModelThing {
  version: number;
  type: string | undefined;
  billing: string | undefined;
  attributes: Record<string, string>;
  readonly groups: Set<string>;
  /** Principal to "is exclusive". */
  readonly principals: Map<string, boolean>;
}

export interface Model {
  readonly things: Map<string, ModelThing>;
  readonly types: Map<string, { deprecated: boolean }>;
  /** Group to parent. */
  readonly groups: Map<string, { readonly parent: string | undefined; version: number }>;
  readonly billing: Set<string>;
}

/** A registry, and what is expected of it. */
export interface World {
  readonly model: Model;
  registry: Registry;
  time: VirtualTime;
}

/** What a step expects: AWS's error name, or "none". */
export type Step = (world: World) => { readonly expected: string; readonly actual: unknown };

export const MAX_GROUPS = 3;
export const MAX_DEPTH = 3;
const NOT_FOUND = "ResourceNotFoundException";
const INVALID = "InvalidRequestException";
const EXISTS = "ResourceAlreadyExistsException";

const thingName = fc.constantFrom("t1", "t2", "t3", "t4");
const typeName = fc.constantFrom("y1", "y2");
const groupName = fc.constantFrom("g1", "g2", "g3", "g4", "g5");
const billingName = fc.constantFrom("b1", "b2");
const principal = fc.constantFrom("p1", "p2", "p3");
const attributes = fc.dictionary(fc.constantFrom("a", "b", "__proto__"), fc.constantFrom("", "1", "2"), {
  maxKeys: 3,
  noNullPrototype: true,
});
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const given = <K extends string, T>(key: K, value: T | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<K, T>>;

const root = (model: Model, group: string): string => {
  const parent = model.groups.get(group)?.parent;
  return parent === undefined ? group : root(model, parent);
};
const depth = (model: Model, group: string | undefined): number =>
  group === undefined ? 0 : 1 + depth(model, model.groups.get(group)?.parent);
/** Attributes as text, whatever their order and names. */
export const entries = (record: Record<string, string>) =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("\n");

const createThing = fc
  .record({ name: thingName, type: optional(typeName), billing: optional(billingName), attributes })
  .map(
    ({ name, type, billing, attributes }): Step =>
      ({ model, registry }) => {
        const actual = awsErrorOf(() =>
          registry.createThing({
            thingName: name,
            attributes,
            ...given("thingTypeName", type),
            ...given("billingGroupName", billing),
          }),
        );
        const existing = model.things.get(name);
        if (existing !== undefined) {
          const isSame =
            existing.type === type &&
            existing.billing === billing &&
            entries(existing.attributes) === entries(attributes);
          return { expected: isSame ? "none" : EXISTS, actual };
        }
        if (type !== undefined && !model.types.has(type)) return { expected: NOT_FOUND, actual };
        if (type !== undefined && model.types.get(type)!.deprecated) return { expected: INVALID, actual };
        if (billing !== undefined && !model.billing.has(billing)) return { expected: NOT_FOUND, actual };
        model.things.set(name, {
          version: 1,
          type,
          billing,
          attributes: { ...attributes },
          groups: new Set(),
          principals: new Map(),
        });
        return { expected: "none", actual };
      },
  );

const updateThing = fc
  .record({
    name: thingName,
    type: optional(typeName),
    attributes,
    merge: fc.boolean(),
    isStale: fc.boolean(),
  })
  .map(
    ({ name, type, attributes, merge, isStale }): Step =>
      ({ model, registry }) => {
        const thing = model.things.get(name);
        const actual = awsErrorOf(() =>
          registry.updateThing({
            thingName: name,
            attributes,
            merge,
            ...given("thingTypeName", type),
            ...(isStale && { expectedVersion: 99_999 }),
          }),
        );
        if (thing === undefined) return { expected: NOT_FOUND, actual };
        if (isStale) return { expected: "VersionConflictException", actual };
        if (type !== undefined && type !== thing.type) {
          if (!model.types.has(type)) return { expected: NOT_FOUND, actual };
          if (model.types.get(type)!.deprecated) return { expected: INVALID, actual };
        }
        const merged = { ...thing.attributes, ...attributes };
        thing.attributes = merge
          ? Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ""))
          : { ...attributes };
        thing.type = type ?? thing.type;
        thing.version += 1;
        return { expected: "none", actual };
      },
  );

const deleteThing = thingName.map(
  (name): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() => registry.deleteThing({ thingName: name }));
      if ((model.things.get(name)?.principals.size ?? 0) > 0) return { expected: INVALID, actual };
      model.things.delete(name);
      return { expected: "none", actual };
    },
);

const createType = typeName.map(
  (name): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() => registry.thingTypes.create({ thingTypeName: name }));
      if (!model.types.has(name)) model.types.set(name, { deprecated: false });
      return { expected: "none", actual };
    },
);

const deprecateType = fc.record({ name: typeName, isUndone: fc.boolean() }).map(
  ({ name, isUndone }): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() => registry.thingTypes.deprecate(name, isUndone));
      const type = model.types.get(name);
      if (type === undefined) return { expected: NOT_FOUND, actual };
      type.deprecated = !isUndone;
      return { expected: "none", actual };
    },
);

const deleteType = typeName.map(
  (name): Step =>
    ({ model, registry, time }) => {
      time.advance(300 * US_PER_S);
      const actual = awsErrorOf(() => registry.thingTypes.delete(name));
      const type = model.types.get(name);
      if (type === undefined) return { expected: NOT_FOUND, actual };
      const isUsed = [...model.things.values()].some((thing) => thing.type === name);
      if (!type.deprecated || isUsed) return { expected: INVALID, actual };
      model.types.delete(name);
      return { expected: "none", actual };
    },
);

const createGroup = fc.record({ name: groupName, parent: optional(groupName) }).map(
  ({ name, parent }): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() =>
        registry.createThingGroup({ thingGroupName: name, ...given("parentGroupName", parent) }),
      );
      if (parent !== undefined && !model.groups.has(parent)) return { expected: NOT_FOUND, actual };
      const existing = model.groups.get(name);
      if (existing !== undefined) return { expected: existing.parent === parent ? "none" : EXISTS, actual };
      if (depth(model, parent) >= MAX_DEPTH) return { expected: "LimitExceededException", actual };
      model.groups.set(name, { parent, version: 1 });
      return { expected: "none", actual };
    },
);

const deleteGroup = groupName.map(
  (name): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() => registry.deleteThingGroup({ thingGroupName: name }));
      if ([...model.groups.values()].some(({ parent }) => parent === name))
        return { expected: INVALID, actual };
      model.groups.delete(name);
      for (const thing of model.things.values()) thing.groups.delete(name);
      return { expected: "none", actual };
    },
);

const join = fc.record({ name: thingName, group: groupName }).map(
  ({ name, group }): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() =>
        registry.addThingToThingGroup({ thingName: name, thingGroupName: group }),
      );
      const thing = model.things.get(name);
      if (thing === undefined || !model.groups.has(group)) return { expected: NOT_FOUND, actual };
      if (thing.groups.has(group)) return { expected: "none", actual };
      if ([...thing.groups].some((other) => root(model, other) === root(model, group)))
        return { expected: INVALID, actual };
      if (thing.groups.size >= MAX_GROUPS) return { expected: "LimitExceededException", actual };
      thing.groups.add(group);
      return { expected: "none", actual };
    },
);

const leave = fc.record({ name: thingName, group: groupName }).map(
  ({ name, group }): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() =>
        registry.removeThingFromThingGroup({ thingName: name, thingGroupName: group }),
      );
      const thing = model.things.get(name);
      if (thing === undefined || !model.groups.has(group)) return { expected: NOT_FOUND, actual };
      thing.groups.delete(group);
      return { expected: "none", actual };
    },
);

const createBilling = billingName.map(
  (name): Step =>
    ({ model, registry }) => {
      model.billing.add(name);
      return {
        expected: "none",
        actual: awsErrorOf(() => registry.billingGroups.create({ billingGroupName: name })),
      };
    },
);

const deleteBilling = billingName.map(
  (name): Step =>
    ({ model, registry }) => {
      model.billing.delete(name);
      for (const thing of model.things.values()) if (thing.billing === name) thing.billing = undefined;
      return {
        expected: "none",
        actual: awsErrorOf(() => registry.billingGroups.delete({ billingGroupName: name })),
      };
    },
);

const attach = fc.record({ name: thingName, principal, isExclusive: fc.boolean() }).map(
  ({ name, principal, isExclusive }): Step =>
    ({ model, registry }) => {
      const thingPrincipalType = isExclusive ? "EXCLUSIVE_THING" : "NON_EXCLUSIVE_THING";
      const actual = awsErrorOf(() =>
        registry.principals.attach({ thingName: name, principal, thingPrincipalType }),
      );
      const thing = model.things.get(name);
      if (thing === undefined) return { expected: NOT_FOUND, actual };
      const others = [...model.things].filter(
        ([other, { principals }]) => other !== name && principals.has(principal),
      );
      const isClaimed = others.some(
        ([, { principals }]) => isExclusive || principals.get(principal) === true,
      );
      if (isClaimed && thing.principals.get(principal) !== isExclusive) return { expected: INVALID, actual };
      thing.principals.set(principal, isExclusive);
      return { expected: "none", actual };
    },
);

const detach = fc.record({ name: thingName, principal }).map(
  ({ name, principal }): Step =>
    ({ model, registry }) => {
      const actual = awsErrorOf(() => registry.principals.detach({ thingName: name, principal }));
      const isAttached = model.things.get(name)?.principals.delete(principal) ?? false;
      return { expected: isAttached ? "none" : NOT_FOUND, actual };
    },
);

/** One request, as often as it matters. */
export const REQUEST: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: createThing },
  { weight: 4, arbitrary: updateThing },
  { weight: 3, arbitrary: deleteThing },
  { weight: 3, arbitrary: createType },
  { weight: 1, arbitrary: deprecateType },
  { weight: 1, arbitrary: deleteType },
  { weight: 5, arbitrary: createGroup },
  { weight: 2, arbitrary: deleteGroup },
  { weight: 8, arbitrary: join },
  { weight: 2, arbitrary: leave },
  { weight: 2, arbitrary: createBilling },
  { weight: 1, arbitrary: deleteBilling },
  { weight: 6, arbitrary: attach },
  { weight: 3, arbitrary: detach },
);

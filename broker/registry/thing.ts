import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { RecordCodec } from "../records/index.js";
import { type Attributes, NO_ATTRIBUTES, readAttributes } from "./attributes.js";

/** A principal of a thing: a certificate by its id, or an Amazon Cognito identity by its own name. */
export interface Attachment {
  readonly principal: string;
  /** AWS: EXCLUSIVE_THING, the only thing that the principal is attached to. */
  readonly isExclusive: boolean;
}

const NO_NAMES: readonly string[] = Object.freeze([]);
const NO_ATTACHMENTS: readonly Attachment[] = Object.freeze([]);

/**
 * A thing as the registry keeps it: a million of them have to fit, so what most things do not have costs them a
 * pointer. Lists are replaced, never changed in place.
 */
export class Thing {
  version = 1;
  typeName: string | undefined;
  attributes: Attributes = NO_ATTRIBUTES;
  /** Groups it was added to or joined, in this order, without their ancestors. */
  groupNames = NO_NAMES;
  billingGroupName: string | undefined;
  attachments = NO_ATTACHMENTS;

  constructor(
    readonly name: string,
    /** Of registration. */
    readonly order: number,
    readonly incarnation: number,
  ) {}
}

/** A thing as everybody else sees it. */
export type RegisteredThing = Readonly<Thing>;

/** What most things do not have is left out of their records. */
export const THING_CODEC: RecordCodec<Thing> = {
  write: (thing) => ({
    order: thing.order,
    version: thing.version,
    ...(thing.incarnation !== 0 && { incarnation: thing.incarnation }),
    ...(thing.typeName !== undefined && { type: thing.typeName }),
    ...(Object.keys(thing.attributes).length > 0 && { attributes: thing.attributes }),
    ...(thing.groupNames.length > 0 && { groups: [...thing.groupNames] }),
    ...(thing.billingGroupName !== undefined && { billingGroup: thing.billingGroupName }),
    ...principalsRecord(thing),
  }),
  read(value, name) {
    if (!isJsonObject(value)) return undefined;
    const { order, version, incarnation = 0, type, billingGroup } = value;
    if (typeof order !== "number" || typeof version !== "number" || typeof incarnation !== "number")
      return undefined;
    const thing = new Thing(name, order, incarnation);
    thing.version = version;
    if (typeof type === "string") thing.typeName = type;
    thing.attributes = readAttributes(value["attributes"]);
    thing.groupNames = readNames(value["groups"]);
    if (typeof billingGroup === "string") thing.billingGroupName = billingGroup;
    thing.attachments = readAttachments(value);
    return thing;
  },
};

function principalsRecord({ attachments }: Thing): JsonObject {
  if (attachments.length === 0) return {};
  const exclusive = attachments.filter(({ isExclusive }) => isExclusive);
  return {
    principals: attachments.map(({ principal }) => principal),
    ...(exclusive.length > 0 && { exclusive: exclusive.map(({ principal }) => principal) }),
  };
}

const isText = (value: JsonValue): value is string => typeof value === "string";

const readNames = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter(isText) : NO_NAMES;

function readAttachments(record: JsonObject): readonly Attachment[] {
  const principals = readNames(record["principals"]);
  if (principals.length === 0) return NO_ATTACHMENTS;
  const exclusive = readNames(record["exclusive"]);
  return principals.map((principal) => ({ principal, isExclusive: exclusive.includes(principal) }));
}

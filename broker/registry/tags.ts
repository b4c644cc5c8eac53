import { parseArn } from "../account.js";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { invalid, tooMany } from "./errors.js";

/** AWS: a tag, as the APIs show it. */
export interface Tag {
  readonly Key: string;
  readonly Value?: string;
}

export interface TagsOptions {
  readonly records: RecordBook;
  /** AWS: 50. */
  readonly maxTagsPerResource?: number;
}

type ResourceTags = Map<string, string>;

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const MAX_VALUE_CHARACTERS = 256;

/**
 * The tags of everything that has tags. Services tell what they have (`taggable`), set the tags that come with a
 * creation (`tagNew`) and drop those of what they delete (`forget`); resources are known by `kind/name` of their ARN,
 * whatever its region.
 */
export class Tags {
  private readonly table: RecordTable<ResourceTags>;
  private readonly kinds = new Map<string, (name: string) => boolean>();
  private readonly limit: number;

  constructor({ records, maxTagsPerResource = 50 }: TagsOptions) {
    this.limit = maxTagsPerResource;
    this.table = records.table<ResourceTags>("tags", {
      write: (tags) => [...tags].map(([key, value]) => [key, value]),
      read: readTags,
    });
  }

  /** @param kind The word before the slash in ARNs. @param exists Is there a resource of this name? */
  taggable(kind: string, exists: (name: string) => boolean): void {
    this.kinds.set(kind, exists);
  }

  /** AWS: TagResource. Tags that exist get the new value. */
  tag(resourceArn: string, tags: readonly Tag[]): void {
    this.write(this.keyOf(resourceArn), tags);
  }

  /** @throws FleetrigError for tags that could not be set; to be called before a resource is created with them. */
  assertNew(tags: readonly Tag[] | undefined): void {
    if (tags !== undefined) this.merged(undefined, tags);
  }

  /** Tags that come with a resource's creation. */
  tagNew(kind: string, name: string, tags: readonly Tag[] | undefined): void {
    if (tags !== undefined && tags.length > 0) this.write(`${kind}/${name}`, tags);
  }

  /** AWS: UntagResource. Keys that are not there are no error. */
  untag(resourceArn: string, tagKeys: readonly string[]): void {
    const key = this.keyOf(resourceArn);
    const tags = this.table.get(key);
    if (tags === undefined) return;
    const removed = tagKeys.filter((tagKey) => tags.delete(tagKey));
    if (tags.size === 0) this.table.delete(key);
    else if (removed.length > 0) this.table.changed(key);
  }

  /** AWS: ListTagsForResource. In order of tagging. */
  list(resourceArn: string): readonly Tag[] {
    return Array.from(this.table.get(this.keyOf(resourceArn)) ?? [], ([Key, Value]) => ({ Key, Value }));
  }

  /** The resource is deleted. */
  forget(kind: string, name: string): void {
    this.table.delete(`${kind}/${name}`);
  }

  private write(key: string, change: readonly Tag[]): void {
    if (change.length > 0) this.table.set(key, this.merged(this.table.get(key), change));
  }

  private merged(before: ResourceTags | undefined, change: readonly Tag[]): ResourceTags {
    const tags = new Map(before);
    const keys = new Set<string>();
    for (const { Key: key, Value: value = "" } of change) {
      assertTag(key, value);
      if (keys.has(key)) throw invalid(`The tag ${key} is given twice.`, "Give each key once.");
      keys.add(key);
      tags.set(key, value);
    }
    if (tags.size > this.limit)
      throw tooMany(`${tags.size} tags.`, `A resource has at most ${this.limit} tags.`);
    return tags;
  }

  private keyOf(resourceArn: string): string {
    const resource = parseArn(resourceArn);
    const exists = resource === undefined ? undefined : this.kinds.get(resource.kind);
    if (resource === undefined || exists === undefined) {
      throw invalid(
        `${resourceArn.slice(0, 200)} is not the ARN of anything that has tags.`,
        "Things and certificates have no tags; put things into billing groups.",
      );
    }
    if (exists(resource.name)) return `${resource.kind}/${resource.name}`;
    throw cloudError("ResourceNotFoundException", `There is no ${resource.kind} ${resource.name}.`, {
      hint: "Create it first, or check the spelling: names are case-sensitive.",
    });
  }
}

function assertTag(key: string, value: string): void {
  if (KEY.test(key) && !/^aws:/i.test(key) && value.length <= MAX_VALUE_CHARACTERS) return;
  throw invalid(
    `The tag ${JSON.stringify(key.slice(0, 140))} is invalid.`,
    `Keys have 1 to 128 letters, digits, spaces and _ . : / = + - @ and do not begin with aws:; values have at most ${MAX_VALUE_CHARACTERS} characters.`,
  );
}

function readTags(value: unknown): ResourceTags | undefined {
  if (!Array.isArray(value)) return undefined;
  const tags: ResourceTags = new Map();
  for (const pair of value as readonly unknown[]) {
    const [key, text] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    if (typeof key === "string" && typeof text === "string") tags.set(key, text);
  }
  return tags;
}

import { type FieldValue, hasPhrase, scalarsOf, valuePasses } from "./field-value.js";
import { FieldIndex, type FieldTraits } from "./field-index.js";
import type { Query, Term } from "./query.js";
import { addBit, bitsFor, forEachSlot, type Slot, type SlotBits, slotsOf, SlotSet } from "./slot-set.js";

/** A document as its fields with their values, each field once. */
export type FieldMap = readonly (readonly [field: string, value: FieldValue])[];

/** Receives what changes in the answer of a standing query, document by document. */
export interface WatchListener {
  joined(name: string): void;
  left(name: string): void;
}

/** A standing query. */
export interface Watch {
  /** How many documents match. */
  readonly size: number;
  stop(): void;
}

/** A document as it is kept: fields and values in turn. Values are immutable, so that what was indexed can be found again. */
type IndexRecord = (FieldIndex | FieldValue)[];

const ALL: Query = { kind: "all" };

interface StandingQuery {
  readonly query: Query;
  readonly listener: WatchListener;
  readonly members: SlotSet;
}

/**
 * An inverted index of documents by name. Queries combine sets of slots; nothing is looked at document by document
 * except phrases. Results come in the order of slots, which is that of indexing as long as nothing was removed.
 */
export class DocumentIndex {
  private readonly slots = new Map<string, Slot>();
  private readonly names: (string | undefined)[] = [];
  private readonly records: (IndexRecord | undefined)[] = [];
  private readonly free: Slot[] = [];
  private readonly live = new SlotSet();
  private readonly fields = new Map<string, FieldIndex>();
  private readonly watches = new Set<StandingQuery>();

  constructor(private readonly traitsOf: (field: string) => FieldTraits) {}

  get size(): number {
    return this.live.size;
  }

  has(name: string): boolean {
    return this.slots.has(name);
  }

  /** Indexes a document, in place of the one that has its name. */
  put(name: string, document: FieldMap): void {
    const slot = this.slots.get(name) ?? this.allocate(name);
    const before = this.records[slot] ?? [];
    const after = this.recordOf(document);
    this.records[slot] = after;
    this.replace(slot, before, after);
    for (const watch of this.watches) this.review(watch, slot, matches(watch.query, after));
  }

  remove(name: string): void {
    const slot = this.slots.get(name);
    if (slot === undefined) return;
    for (const watch of this.watches) this.review(watch, slot, false);
    this.replace(slot, this.records[slot]!, []);
    this.live.delete(slot);
    this.slots.delete(name);
    this.names[slot] = undefined;
    this.records[slot] = undefined;
    this.free.push(slot);
  }

  /** Forgets all documents; what matched standing queries leaves them, in the order of slots. */
  clear(): void {
    for (const watch of this.watches) {
      for (const slot of slotsOf(this.select(ALL))) this.review(watch, slot, false);
    }
    this.slots.clear();
    this.names.length = 0;
    this.records.length = 0;
    this.free.length = 0;
    this.live.clear();
    this.fields.clear();
  }

  /** The documents that match, as slots. */
  select(query: Query): SlotBits {
    const result = bitsFor(this.records.length);
    switch (query.kind) {
      case "all":
        this.live.joinInto(result);
        return result;
      case "term":
        this.selectTerm(query, result);
        return result;
      case "not":
        this.live.joinInto(result);
        subtract(result, this.select(query.part));
        return result;
      case "or":
        for (const part of query.parts) unite(result, this.select(part));
        return result;
      case "and":
        this.live.joinInto(result);
        for (const part of query.parts) {
          if (part.kind === "not") subtract(result, this.select(part.part));
          else intersect(result, this.select(part));
        }
        return result;
    }
  }

  nameOf(slot: Slot): string {
    return this.names[slot]!;
  }

  /** Names of a result, in the order of slots. */
  namesOf(selected: SlotBits): readonly string[] {
    return Array.from(slotsOf(selected), (slot) => this.names[slot]!);
  }

  /** Calls `visit` with the values of a field of all documents of a result, in the order of slots. */
  forEachValue(selected: SlotBits, field: string, visit: (value: FieldValue) => void): void {
    const index = this.fields.get(field);
    if (index !== undefined) this.forEachIndexed(selected, index, visit);
  }

  /** Keeps `listener` informed. Documents that match already join at once, in the order of slots. */
  watch(query: Query, listener: WatchListener): Watch {
    const watch: StandingQuery = { query, listener, members: new SlotSet() };
    this.watches.add(watch);
    for (const slot of slotsOf(this.select(query))) this.review(watch, slot, true);
    return {
      get size() {
        return watch.members.size;
      },
      stop: () => {
        this.watches.delete(watch);
      },
    };
  }

  /** Documents of one kind have their fields in the same places, so each is looked for where the last one was. */
  private forEachIndexed(
    selected: SlotBits,
    field: FieldIndex,
    visit: (value: FieldValue, slot: Slot) => void,
  ): void {
    let near = 0;
    forEachSlot(selected, (slot) => {
      const record = this.records[slot]!;
      const at = record[near] === field ? near : positionOf(record, field, near);
      if (at < 0) return;
      near = at;
      visit(record[at + 1] as FieldValue, slot);
    });
  }

  private allocate(name: string): Slot {
    const slot = this.free.pop() ?? this.records.length;
    if (slot === this.records.length) this.records.push(undefined);
    this.slots.set(name, slot);
    this.names[slot] = name;
    this.live.add(slot, this.records.length);
    return slot;
  }

  private recordOf(document: FieldMap): IndexRecord {
    const record: IndexRecord = [];
    for (const [name, value] of document) {
      let field = this.fields.get(name);
      if (field === undefined) {
        field = new FieldIndex(name, this.traitsOf(name));
        this.fields.set(name, field);
      }
      record.push(field, value);
    }
    return record;
  }

  /** Unindexes what is gone and indexes what is new; most changes leave most fields as they are. */
  private replace(slot: Slot, before: IndexRecord, after: IndexRecord): void {
    const kept = new Set<FieldIndex>();
    let near = 0;
    for (let at = 0; at < before.length; at += 2) {
      const field = before[at] as FieldIndex;
      const value = before[at + 1] as FieldValue;
      const found = positionOf(after, field, near);
      if (found >= 0) near = found + 2;
      if (found >= 0 && isSameValue(after[found + 1] as FieldValue, value)) kept.add(field);
      else field.remove(slot, value);
    }
    for (let at = 0; at < after.length; at += 2) {
      const field = after[at] as FieldIndex;
      if (!kept.has(field)) field.add(slot, after[at + 1] as FieldValue, this.records.length);
    }
    for (let at = 0; at < before.length; at += 2) {
      const field = before[at] as FieldIndex;
      if (field.isEmpty) this.fields.delete(field.name);
    }
  }

  private review(watch: StandingQuery, slot: Slot, isMember: boolean): void {
    if (watch.members.has(slot) === isMember) return;
    if (isMember) {
      watch.members.add(slot, this.records.length);
      watch.listener.joined(this.names[slot]!);
    } else {
      watch.members.delete(slot);
      watch.listener.left(this.names[slot]!);
    }
  }

  private selectTerm({ field, test }: Term, result: SlotBits): void {
    if (field !== undefined) {
      const index = this.fields.get(field);
      if (index !== undefined) this.selectField(index, test, result);
      return;
    }
    for (const index of this.fields.values()) {
      if (index.traits.isEverywhere) this.selectField(index, test, result);
    }
  }

  private selectField(field: FieldIndex, test: Term["test"], result: SlotBits): void {
    if (test.kind !== "phrase") return field.select(test, result);
    const candidates = bitsFor(this.records.length);
    field.select(test, candidates);
    // Fleets say the same things many times: each text is looked at once.
    const known = new Map<string, boolean>();
    const has = (text: string): boolean => {
      const answer = known.get(text);
      if (answer !== undefined) return answer;
      const found = hasPhrase(text, test.words);
      known.set(text, found);
      return found;
    };
    this.forEachIndexed(candidates, field, (value, slot) => {
      if (typeof value === "string" ? has(value) : hasText(value, has)) addBit(result, slot);
    });
  }
}

/** Whether one document matches: the same answer as the index gives, for standing queries. */
function matches(query: Query, record: IndexRecord): boolean {
  switch (query.kind) {
    case "all":
      return true;
    case "not":
      return !matches(query.part, record);
    case "or":
      return query.parts.some((part) => matches(part, record));
    case "and":
      return query.parts.every((part) => matches(part, record));
    case "term":
      for (let at = 0; at < record.length; at += 2) {
        const { name, traits } = record[at] as FieldIndex;
        const isMeant = query.field === undefined ? traits.isEverywhere : query.field === name;
        if (
          isMeant &&
          traits.isSearchable &&
          valuePasses(record[at + 1] as FieldValue, query.test, traits.reading)
        )
          return true;
      }
      return false;
  }
}

function hasText(value: FieldValue, has: (text: string) => boolean): boolean {
  return scalarsOf(value).some((item) => typeof item === "string" && has(item));
}

/** Where a field stands in a record, looking first where it is expected. */
function positionOf(record: IndexRecord, field: FieldIndex, near: number): number {
  for (let offset = 0; offset < record.length; offset += 2) {
    const at = (near + offset) % record.length;
    if (record[at] === field) return at;
  }
  return -1;
}

function isSameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== "object" || typeof b !== "object") return Object.is(a, b);
  return a.length === b.length && a.every((item, at) => Object.is(item, b[at]));
}

function unite(result: SlotBits, other: SlotBits): void {
  for (let at = 0; at < result.length; at += 1) result[at]! |= other[at]!;
}

function intersect(result: SlotBits, other: SlotBits): void {
  for (let at = 0; at < result.length; at += 1) result[at]! &= other[at]!;
}

function subtract(result: SlotBits, other: SlotBits): void {
  for (let at = 0; at < result.length; at += 1) result[at]! &= ~other[at]!;
}

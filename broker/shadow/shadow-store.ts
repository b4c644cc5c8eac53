import { isJsonObject, type JsonObject, type JsonValue } from "fleetrig/kernel";
import type { RecordBook, ReportRecord } from "../records/index.js";
import { emptyDocument, type ShadowDocument } from "./document.js";

/** Which shadow of which thing. */
export interface ShadowKey {
  readonly thing: string;
  /** Undefined for the classic shadow. */
  readonly shadowName?: string | undefined;
}

/**
 * One shadow's place. A deleted shadow leaves its place behind for a while, because a recreated one continues its
 * version (REF §5.5): devices drop deltas with versions below the last they saw.
 */
export class ShadowPlace {
  /** Undefined while the shadow is deleted. */
  document: ShadowDocument | undefined;
  /** Version of the document, or the one a deleted shadow ended with. */
  version = 0;
  deletedAtS = 0;
  private windowS = -1;
  private requestsInWindow = 0;

  /** Counts a request; false when this second already had `maximum`. */
  admit(nowS: number, maximum: number): boolean {
    if (nowS !== this.windowS) {
      this.windowS = nowS;
      this.requestsInWindow = 0;
    }
    this.requestsInWindow += 1;
    return this.requestsInWindow <= maximum;
  }
}

interface ThingShadows {
  classic: ShadowPlace | undefined;
  named: Map<string, ShadowPlace> | undefined;
}

/** All shadows by thing and name, and the places of deleted ones until their retention ends. */
export class ShadowStore {
  private readonly things = new Map<string, ThingShadows>();
  /** In order of deletion: the oldest expire first. */
  private readonly deleted = new Map<ShadowPlace, ShadowKey>();
  private places = 0;
  private readonly report: ReportRecord;

  constructor(
    private readonly retentionS: number,
    records: RecordBook,
  ) {
    this.report = records.records("shadows", (key, value) => this.restore(key, value));
    records.whenRestored(() => this.sortDeleted());
  }

  /** Places in use, remembered versions included. */
  get size(): number {
    return this.places;
  }

  find(key: ShadowKey): ShadowPlace | undefined {
    const shadows = this.things.get(key.thing);
    return key.shadowName === undefined ? shadows?.classic : shadows?.named?.get(key.shadowName);
  }

  private findOrCreate(key: ShadowKey): ShadowPlace {
    const found = this.find(key);
    if (found !== undefined) return found;
    const place = new ShadowPlace();
    let shadows = this.things.get(key.thing);
    if (shadows === undefined) {
      shadows = { classic: undefined, named: undefined };
      this.things.set(key.thing, shadows);
    }
    if (key.shadowName === undefined) shadows.classic = place;
    else (shadows.named ??= new Map()).set(key.shadowName, place);
    this.places += 1;
    return place;
  }

  /** The document an update starts from: the current one, or an empty one with the remembered version. */
  base(place: ShadowPlace | undefined): ShadowDocument {
    return place?.document ?? emptyDocument(place?.version ?? 0);
  }

  put(key: ShadowKey, document: ShadowDocument): void {
    const place = this.findOrCreate(key);
    this.deleted.delete(place);
    place.document = document;
    place.version = document.version;
    this.changed(key);
  }

  markDeleted(key: ShadowKey, version: number, nowS: number): void {
    const place = this.findOrCreate(key);
    place.document = undefined;
    place.version = version;
    place.deletedAtS = nowS;
    this.deleted.set(place, { thing: key.thing, shadowName: key.shadowName });
    this.changed(key);
  }

  /** Forgets versions whose retention is over. Costs nothing when none is. */
  expire(nowS: number): void {
    for (const [place, key] of this.deleted) {
      if (nowS - place.deletedAtS < this.retentionS) return;
      this.deleted.delete(place);
      this.remove(key);
    }
  }

  private remove(key: ShadowKey): void {
    const shadows = this.things.get(key.thing)!;
    if (key.shadowName === undefined) shadows.classic = undefined;
    else shadows.named!.delete(key.shadowName);
    this.places -= 1;
    if (shadows.classic === undefined && (shadows.named?.size ?? 0) === 0) this.things.delete(key.thing);
    this.changed(key);
  }

  private changed(key: ShadowKey): void {
    this.report(recordKey(key), () => {
      const place = this.find(key);
      return place === undefined ? undefined : toRecord(place);
    });
  }

  private restore(recordKey: string, value: JsonValue): string | undefined {
    if (!isJsonObject(value)) return "the shadow cannot be understood";
    const [thing = "", shadowName] = recordKey.split("/");
    const key = { thing, shadowName };
    const place = this.findOrCreate(key);
    const { document, version, deletedAtS } = value as unknown as ShadowRecord;
    place.version = version;
    place.document = document;
    if (document !== undefined) return undefined;
    place.deletedAtS = deletedAtS ?? 0;
    this.deleted.set(place, key);
    return undefined;
  }

  /** The oldest expire first, whatever order they were read in. */
  private sortDeleted(): void {
    const sorted = Array.from(this.deleted).sort(([a], [b]) => a.deletedAtS - b.deletedAtS);
    this.deleted.clear();
    for (const [place, key] of sorted) this.deleted.set(place, key);
  }

  /** Names of a thing's named shadows in code-unit order; the classic one has no name. */
  names(thing: string): string[] {
    const named = this.things.get(thing)?.named ?? new Map<string, ShadowPlace>();
    return [...named]
      .filter(([, place]) => place.document !== undefined)
      .map(([name]) => name)
      .sort();
  }
}

/** A shadow as it is written down: its document, or the version that a deleted one ended with. */
interface ShadowRecord {
  readonly version: number;
  readonly document?: ShadowDocument;
  readonly deletedAtS?: number;
}

/** Neither name can have a slash. */
const recordKey = ({ thing, shadowName }: ShadowKey): string =>
  shadowName === undefined ? thing : `${thing}/${shadowName}`;

function toRecord({ document, version, deletedAtS }: ShadowPlace): JsonObject {
  if (document === undefined) return { version, deletedAtS };
  const { desired, reported, ...rest } = document;
  const sections = { ...(desired && { desired }), ...(reported && { reported }) };
  return { version, document: { ...rest, ...sections } as unknown as JsonObject };
}

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

  constructor(private readonly retentionS: number) {}

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
  }

  markDeleted(key: ShadowKey, version: number, nowS: number): void {
    const place = this.findOrCreate(key);
    place.document = undefined;
    place.version = version;
    place.deletedAtS = nowS;
    this.deleted.set(place, { thing: key.thing, shadowName: key.shadowName });
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

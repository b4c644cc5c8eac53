import type { Clock } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import { DocumentIndex, type FieldMap, type Watch, type WatchListener } from "./document-index.js";
import { IndexFeed } from "./index-feed.js";
import type { Query } from "./query.js";
import { fieldTraits } from "./thing-fields.js";

/** AWS: states of an index; one that is off does not exist. */
export type IndexStatus = "BUILDING" | "ACTIVE" | "REBUILDING";

/** AWS: there is one index of things and one of thing groups. */
export type IndexName = "AWS_Things" | "AWS_ThingGroups";

/** Hears what joins and leaves a standing query, and when the answer is complete for the first time. */
export interface StandingListener extends WatchListener {
  ready?(): void;
}

/** Where an index finds documents. */
export interface IndexSource {
  names(): Iterable<string>;
  /** Undefined once the document is gone. */
  fields(name: string): FieldMap | undefined;
}

export interface NamedIndexOptions {
  readonly name: IndexName;
  readonly clock: Clock;
  readonly source: IndexSource;
}

/** One of AWS's indices with its life: off, built, kept up to date and rebuilt when what it indexes changes. */
export class NamedIndex {
  readonly name: IndexName;
  readonly documents = new DocumentIndex(fieldTraits);
  private readonly clock: Clock;
  private readonly source: IndexSource;
  private readonly feed: IndexFeed;
  private state: IndexStatus | undefined;
  private incomplete: StandingListener[] = [];

  constructor({ name, clock, source }: NamedIndexOptions) {
    this.name = name;
    this.clock = clock;
    this.source = source;
    this.feed = new IndexFeed({
      clock,
      refresh: (document) => this.refresh(document),
      settled: () => this.settle(),
    });
  }

  /** Undefined while it is off. */
  get status(): IndexStatus | undefined {
    return this.state;
  }

  /** Indexes everything; again, when it is on already. */
  build(): void {
    this.state = this.state === undefined || this.state === "BUILDING" ? "BUILDING" : "REBUILDING";
    this.feed.rebuild(this.source.names());
  }

  /** Forgets everything: whatever matched a standing query leaves it. */
  turnOff(): void {
    this.state = undefined;
    this.feed.stop();
    this.documents.clear();
  }

  /** It is gone, at once: what comes by the same name is another document, even in the same turn. */
  remove(document: string): void {
    this.documents.remove(document);
  }

  noteChange(document: string): void {
    if (this.state !== undefined) this.feed.noteChange(document);
  }

  /** @throws FleetrigError `CLOUD_NOT_FOUND` while off, `CLOUD_INDEX_NOT_READY` while built for the first time. */
  assertReady(): void {
    this.assertOn();
    if (this.state !== "BUILDING") return;
    throw cloudError("IndexNotReadyException", `The index ${this.name} is being built.`, {
      hint: "Wait until DescribeIndex says ACTIVE.",
    });
  }

  /** @throws FleetrigError `CLOUD_NOT_FOUND` while off. */
  assertOn(): void {
    if (this.state !== undefined) return;
    throw cloudError("ResourceNotFoundException", `The index ${this.name} does not exist.`, {
      hint: "Turn indexing on with UpdateIndexingConfiguration.",
    });
  }

  /** Keeps `listener` informed from the next turn of the clock on, also across times when the index is off. */
  watch(query: Query, listener: StandingListener): Watch {
    let inner: Watch | undefined;
    const timer = this.clock.after(0, () => {
      inner = this.documents.watch(query, listener);
      if (this.state === "ACTIVE") listener.ready?.();
      else this.incomplete.push(listener);
    });
    return {
      get size() {
        return inner?.size ?? 0;
      },
      stop: () => {
        timer.cancel();
        inner?.stop();
        this.incomplete = this.incomplete.filter((each) => each !== listener);
      },
    };
  }

  stop(): void {
    this.feed.stop();
  }

  private refresh(document: string): void {
    const fields = this.source.fields(document);
    if (fields === undefined) this.documents.remove(document);
    else this.documents.put(document, fields);
  }

  private settle(): void {
    this.state = "ACTIVE";
    const { incomplete } = this;
    this.incomplete = [];
    for (const listener of incomplete) listener.ready?.();
  }
}

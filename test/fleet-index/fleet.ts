import { LANE, VirtualTime } from "fleetrig/kernel";
import {
  FleetIndexing,
  type IndexLimits,
  RecordBook,
  type RecordJournal,
  type ThingConnectivity,
  type ThingDocument,
  type ThingGroupDocument,
  type ThingIndexingConfiguration,
} from "fleetrig/broker";

/** Things and thing groups that a test puts, and the index that follows them in virtual time. */
export class Fleet {
  readonly time = new VirtualTime();
  readonly things = new Map<string, ThingDocument>();
  readonly groups = new Map<string, ThingGroupDocument>();
  readonly connections = new Map<string, ThingConnectivity>();
  readonly records: RecordBook;
  readonly indexing: FleetIndexing;

  constructor(limits: Partial<IndexLimits> = {}, journal?: RecordJournal) {
    this.records = new RecordBook(journal);
    this.indexing = new FleetIndexing({
      clock: this.time.lane(LANE.services),
      records: this.records,
      limits,
      documents: {
        thingNames: () => this.things.keys(),
        thing: (name) => {
          const thing = this.things.get(name);
          const connectivity = this.connections.get(name);
          return thing && { ...thing, ...(connectivity && { connectivity }) };
        },
        thingGroupNames: () => this.groups.keys(),
        thingGroup: (name) => this.groups.get(name),
        connectivity: (name) => this.connections.get(name),
      },
    });
  }

  /** Turns indexing on and waits until the index is there. */
  turnOn(configuration: ThingIndexingConfiguration = { thingIndexingMode: "REGISTRY_AND_SHADOW" }): this {
    this.indexing.updateIndexingConfiguration({ thingIndexingConfiguration: configuration });
    this.settle();
    return this;
  }

  put(thingName: string, rest: Partial<ThingDocument> = {}): void {
    this.things.set(thingName, { thingName, thingId: `id-${thingName}`, version: 1, ...rest });
    this.indexing.thingChanged(thingName);
  }

  remove(thingName: string): void {
    this.things.delete(thingName);
    this.indexing.thingChanged(thingName);
  }

  settle(): void {
    this.time.advance(1_000_000);
  }

  names(queryString: string): readonly string[] {
    return (this.indexing.searchIndex({ queryString }).things ?? []).map(({ thingName }) => thingName);
  }
}

/** AWS's name of the error that `action` throws. */
export function awsErrorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return (error as { context: Record<string, unknown> }).context["awsError"];
  }
  return "none";
}

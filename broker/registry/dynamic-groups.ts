import { cloudError } from "../cloud-error.js";
import type { RecordBook } from "../records/index.js";
import { invalid } from "./errors.js";
import type { Memberships } from "./memberships.js";
import { byOrder } from "./ordered-view.js";
import { INDEX_NAME, QUERY_VERSION, type ThingGroup } from "./thing-group.js";
import type {
  CreateThingGroupRequest,
  DeleteThingGroupRequest,
  ThingGroups,
  UpdateThingGroupRequest,
} from "./thing-groups.js";
import type { ThingTable } from "./thing-table.js";

/** Told which things a query finds. */
export interface QueryFollower {
  /** A thing is found now that was not, or it was when the watch began. */
  joined(thingName: string): void;
  /** A thing is not found any more. */
  left(thingName: string): void;
  /** All that were found when the watch began have joined; said once, when the index is built. */
  ready(): void;
}

/** A watch that can end. */
export interface Subscription {
  stop(): void;
}

/** Who finds the members of dynamic groups: the fleet index. */
export interface DynamicMembership {
  /**
   * Follows what a query finds from the next turn of the clock on, also while the index is off or being built.
   * @throws FleetrigError `CLOUD_INVALID_QUERY` for a query that no dynamic group can have.
   */
  watch(queryString: string, follower: QueryFollower): Subscription;
}

interface QueryRequest {
  readonly queryString: string;
  /** Default `2017-09-30`, the only one. */
  readonly queryVersion?: string;
  /** Default `AWS_Things`, the only one. */
  readonly indexName?: string;
}

/** AWS: CreateDynamicThingGroup. */
export interface CreateDynamicThingGroupRequest
  extends Omit<CreateThingGroupRequest, "parentGroupName">,
    QueryRequest {}

/** AWS: UpdateDynamicThingGroup. */
export interface UpdateDynamicThingGroupRequest extends UpdateThingGroupRequest, Partial<QueryRequest> {}

export interface DynamicGroupsOptions {
  readonly records: RecordBook;
  readonly things: ThingTable;
  readonly groups: ThingGroups;
  readonly memberships: Memberships;
}

/**
 * Thing groups whose members a query of the fleet index finds. Members are written down with their things, so that a
 * restart, after which the index finds everything anew, is neither joining nor leaving.
 */
export class DynamicGroups {
  private index: DynamicMembership | undefined;
  private readonly watches = new Map<ThingGroup, Subscription>();

  constructor(private readonly parts: DynamicGroupsOptions) {
    parts.records.whenRestored(() => this.watchAll());
  }

  /** Without an index, groups stay BUILDING and empty. */
  use(index: DynamicMembership): void {
    this.index = index;
    this.watchAll();
  }

  create(request: CreateDynamicThingGroupRequest): void {
    const { queryString, indexName = INDEX_NAME, queryVersion = QUERY_VERSION } = request;
    assertQuery({ queryString, indexName, queryVersion });
    this.assertWatchable(queryString);
    const group = this.parts.groups.create(request, {
      queryString,
      indexName,
      queryVersion,
      status: "BUILDING",
    });
    if (group !== undefined) this.watch(group);
  }

  /** @returns the new version. */
  update(request: UpdateDynamicThingGroupRequest): number {
    const { groups } = this.parts;
    const group = this.get(request.thingGroupName);
    const before = group.dynamic!.queryString;
    const { queryString = before, indexName = INDEX_NAME, queryVersion = QUERY_VERSION } = request;
    assertQuery({ queryString, indexName, queryVersion });
    if (queryString === before) return groups.update(request).version;
    this.assertWatchable(queryString);
    groups.update(request, { queryString, indexName, queryVersion, status: "REBUILDING" });
    this.unwatch(group);
    const { version } = group;
    this.watch(group);
    return version;
  }

  /** Deleting what does not exist succeeds. */
  delete({ thingGroupName, expectedVersion }: DeleteThingGroupRequest): void {
    const { groups, memberships } = this.parts;
    if (groups.find(thingGroupName) === undefined) return;
    const group = this.get(thingGroupName);
    groups.assertDeletable(group, expectedVersion);
    this.unwatch(group);
    for (const thing of Array.from(group.view.all())) memberships.leave(thing, group);
    groups.delete(group);
  }

  private get(thingGroupName: string): ThingGroup {
    const group = this.parts.groups.get(thingGroupName);
    if (group.dynamic !== undefined) return group;
    throw invalid(`Thing group ${group.name} is not dynamic.`, "Use the operations for thing groups.", {
      thingGroupName,
    });
  }

  /** Nothing may have changed when a query is refused. */
  private assertWatchable(queryString: string): void {
    this.index?.watch(queryString, { joined: ignore, left: ignore, ready: ignore }).stop();
  }

  private watchAll(): void {
    for (const group of this.parts.groups.all())
      if (group.dynamic !== undefined && !this.watches.has(group)) this.watch(group);
  }

  private watch(group: ThingGroup): void {
    const { memberships, things } = this.parts;
    if (this.index === undefined) return;
    const unconfirmed = new Set(group.things);
    let isOver = false;
    const watch = this.index.watch(group.dynamic!.queryString, {
      joined: (thingName) => {
        const thing = isOver ? undefined : things.find(thingName);
        if (thing === undefined) return;
        unconfirmed.delete(thing);
        memberships.joinDynamic(thing, group);
      },
      left: (thingName) => {
        const thing = isOver ? undefined : things.find(thingName);
        if (thing !== undefined) memberships.leave(thing, group);
      },
      ready: () => {
        if (isOver) return;
        for (const thing of [...unconfirmed].sort(byOrder)) memberships.leave(thing, group);
        unconfirmed.clear();
        group.dynamic!.status = "ACTIVE";
      },
    });
    this.watches.set(group, {
      stop: () => {
        isOver = true;
        watch.stop();
      },
    });
  }

  private unwatch(group: ThingGroup): void {
    this.watches.get(group)?.stop();
    this.watches.delete(group);
  }
}

const ignore = (): void => undefined;

function assertQuery({ queryString, indexName, queryVersion }: Required<QueryRequest>): void {
  if (queryString !== "" && indexName === INDEX_NAME && queryVersion === QUERY_VERSION) return;
  throw cloudError(
    "InvalidRequestException",
    `Index ${indexName.slice(0, 140)} and query version ${queryVersion.slice(0, 40)}.`,
    { hint: `The index is ${INDEX_NAME}, the version ${QUERY_VERSION}, and the query is not empty.` },
  );
}

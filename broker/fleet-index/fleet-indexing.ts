import type { Clock } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";
import { type AggregationRequest, FieldAggregations } from "./field-aggregations.js";
import {
  assertGroupIndexing,
  assertThingIndexing,
  type Field,
  INDEXING_OFF,
  type IndexingConfiguration,
  managedGroupFields,
  managedThingFields,
  readConfiguration,
  schemaOf,
  sourcesOf,
} from "./configuration.js";
import type { Watch } from "./document-index.js";
import { DEFAULT_INDEX_LIMITS, type IndexLimits } from "./limits.js";
import { type IndexName, type IndexStatus, NamedIndex, type StandingListener } from "./named-index.js";
import { pageToken, positionOfPage } from "./page-token.js";
import type { Query } from "./query.js";
import { parseQuery } from "./query-parser.js";
import { slotsOf } from "./slot-set.js";
import {
  type IndexedSources,
  type ThingConnectivity,
  type ThingDocument,
  thingFields,
  type ThingGroupDocument,
  thingGroupFields,
} from "./thing-fields.js";
import { thingGroupView, type ThingView, thingView } from "./thing-view.js";

/** Where fleet indexing finds things and thing groups. Nothing of what is handed out changes afterwards. */
export interface IndexedDocuments {
  /** In the order of registration. */
  thingNames(): Iterable<string>;
  /** Undefined for what is not registered. Only these sources are asked for. */
  thing(thingName: string, sources: IndexedSources): ThingDocument | undefined;
  thingGroupNames(): Iterable<string>;
  thingGroup(thingGroupName: string): ThingGroupDocument | undefined;
  /** The last that is known of the client that is this thing. */
  connectivity(thingName: string): ThingConnectivity | undefined;
}

/** What fleet indexing works with; limits that are left out are AWS's. */
export interface FleetIndexingOptions {
  readonly clock: Clock;
  readonly documents: IndexedDocuments;
  readonly records: RecordBook;
  readonly limits?: Partial<IndexLimits>;
  /** Called for every search and aggregation: AWS bills them. */
  readonly meter?: () => void;
}

/** AWS: SearchIndex. */
export interface SearchIndexRequest {
  readonly indexName?: string;
  readonly queryString: string;
  readonly queryVersion?: string;
  readonly nextToken?: string;
  /** 1 to 500, default 100. */
  readonly maxResults?: number;
}

/** AWS: what SearchIndex answers: things or thing groups, by the index that was asked. */
export interface SearchIndexResponse {
  readonly things?: readonly ThingView[];
  readonly thingGroups?: readonly Omit<ThingGroupDocument, "version">[];
  readonly nextToken?: string;
}

/** The one version of the query language. */
const QUERY_VERSION = "2017-09-30";
const DEFAULT_PAGE_SIZE = 100;
const CONFIGURATION_KEY = "current";

/**
 * AWS IoT fleet indexing (REF §13.2, §13.3). It is told of changes and follows a turn of the clock later. Requests and
 * answers have AWS's names; refusals are FleetrigErrors with AWS's error name in `context.awsError`.
 */
export class FleetIndexing {
  readonly limits: IndexLimits;
  private readonly documents: IndexedDocuments;
  private readonly meter: () => void;
  private readonly things: NamedIndex;
  private readonly groups: NamedIndex;
  private readonly table: RecordTable<IndexingConfiguration>;
  private sources: IndexedSources = sourcesOf(INDEXING_OFF.thingIndexingConfiguration);

  constructor({ clock, documents, records, limits, meter }: FleetIndexingOptions) {
    this.limits = { ...DEFAULT_INDEX_LIMITS, ...limits };
    this.documents = documents;
    this.meter = meter ?? (() => undefined);
    this.things = new NamedIndex({
      name: "AWS_Things",
      clock,
      source: {
        names: () => documents.thingNames(),
        fields: (name) => {
          const thing = documents.thing(name, this.sources);
          return thing && thingFields(thing, this.sources);
        },
      },
    });
    this.groups = new NamedIndex({
      name: "AWS_ThingGroups",
      clock,
      source: {
        names: () => documents.thingGroupNames(),
        fields: (name) => {
          const group = documents.thingGroup(name);
          return group && thingGroupFields(group);
        },
      },
    });
    this.table = records.table("indexing-configuration", {
      write: (configuration) => JSON.parse(JSON.stringify(configuration)),
      read: readConfiguration,
    });
    records.whenRestored(() => this.apply(INDEXING_OFF, this.configuration));
  }

  /** Anything about a registered thing has changed, or it came or went: registry, groups, shadows, connectivity. */
  thingChanged(thingName: string): void {
    this.things.noteChange(thingName);
  }

  /** It is registered no more. */
  thingDeleted(thingName: string): void {
    this.things.remove(thingName);
  }

  /** Its shadow has changed: nothing to do unless shadows are indexed. */
  shadowChanged(thingName: string, shadowName: string | undefined): void {
    const { hasShadow, namedShadows } = this.sources;
    if (shadowName === undefined ? hasShadow : namedShadows.has(shadowName))
      this.things.noteChange(thingName);
  }

  /** The client that is this thing came or went. */
  connectivityChanged(thingName: string): void {
    if (this.sources.hasConnectivity) this.things.noteChange(thingName);
  }

  /** A thing group was created, changed or deleted. */
  thingGroupChanged(thingGroupName: string): void {
    this.groups.noteChange(thingGroupName);
  }

  /** AWS: UpdateIndexingConfiguration. What is left out stays as it is; what is given replaces what was there. */
  updateIndexingConfiguration(request: Partial<IndexingConfiguration>): void {
    const { thingIndexingConfiguration: things, thingGroupIndexingConfiguration: groups } = request;
    if (things !== undefined) assertThingIndexing(things, this.limits);
    if (groups !== undefined) assertGroupIndexing(groups, this.limits);
    const before = this.configuration;
    const after = {
      thingIndexingConfiguration: things ?? before.thingIndexingConfiguration,
      thingGroupIndexingConfiguration: groups ?? before.thingGroupIndexingConfiguration,
    };
    this.table.set(CONFIGURATION_KEY, after);
    this.apply(before, after);
  }

  /** AWS: GetIndexingConfiguration, with the managed fields that follow from the modes. */
  getIndexingConfiguration(): IndexingConfiguration {
    const { thingIndexingConfiguration: things, thingGroupIndexingConfiguration: groups } =
      this.configuration;
    return {
      thingIndexingConfiguration: {
        thingConnectivityIndexingMode: "OFF",
        deviceDefenderIndexingMode: "OFF",
        namedShadowIndexingMode: "OFF",
        ...things,
        managedFields: managedThingFields(things),
        customFields: things.customFields ?? [],
      },
      thingGroupIndexingConfiguration: {
        ...groups,
        managedFields: managedGroupFields(groups),
        customFields: groups.customFields ?? [],
      },
    };
  }

  /** AWS: ListIndices. */
  listIndices(): { readonly indexNames: readonly IndexName[] } {
    const existing = [this.things, this.groups].filter(({ status }) => status !== undefined);
    return { indexNames: existing.map(({ name }) => name) };
  }

  /** AWS: DescribeIndex. */
  describeIndex(indexName: string): {
    readonly indexName: IndexName;
    readonly indexStatus: IndexStatus;
    readonly schema: string;
  } {
    const index = this.indexNamed(indexName);
    index.assertOn();
    const schema =
      index === this.groups ? "THING_GROUPS" : schemaOf(this.configuration.thingIndexingConfiguration);
    return { indexName: index.name, indexStatus: index.status!, schema };
  }

  /** AWS: SearchIndex, in the order of indexing. */
  searchIndex(request: SearchIndexRequest): SearchIndexResponse {
    const { queryString, nextToken, maxResults = DEFAULT_PAGE_SIZE } = request;
    const { index, query } = this.question(request);
    if (maxResults > this.limits.maxPageSize) {
      throw cloudError("InvalidRequestException", `A page of ${maxResults} is too large.`, {
        hint: `Ask for at most ${this.limits.maxPageSize} results.`,
      });
    }
    const names: string[] = [];
    let next: string | undefined;
    const selected = index.documents.select(query);
    for (const slot of slotsOf(selected, positionOfPage(nextToken, queryString))) {
      if (names.length === maxResults) {
        next = pageToken(slot, queryString);
        break;
      }
      names.push(index.documents.nameOf(slot));
    }
    return { ...this.render(index, names), ...(next !== undefined && { nextToken: next }) };
  }

  /** A query and the field that is to be aggregated; for the four aggregations and for fleet metrics. */
  aggregations(request: AggregationRequest): FieldAggregations {
    const { index, query } = this.question(request);
    const { thingIndexingConfiguration: things, thingGroupIndexingConfiguration: groups } =
      this.configuration;
    const fields: readonly Field[] =
      index === this.things
        ? [...managedThingFields(things), ...(things.customFields ?? [])]
        : [...managedGroupFields(groups), ...(groups.customFields ?? [])];
    const standard = index === this.things ? "registry.version" : "version";
    return new FieldAggregations(index.documents, {
      query,
      fields,
      name: request.aggregationField ?? standard,
      maxPercents: this.limits.maxPercents,
    });
  }

  /** AWS: GetThingConnectivityData; needs connectivity indexing. */
  getThingConnectivityData(thingName: string, includeSocketInformation = false): ThingConnectivity {
    const { filter, thingConnectivityIndexingMode: mode } = this.configuration.thingIndexingConfiguration;
    if (mode !== "STATUS") {
      throw cloudError("IndexNotReadyException", "Connectivity is not indexed.", {
        hint: "Set thingConnectivityIndexingMode to STATUS.",
      });
    }
    if (this.documents.thing(thingName, sourcesOf(INDEXING_OFF.thingIndexingConfiguration)) === undefined) {
      throw cloudError("ResourceNotFoundException", `Thing ${thingName} does not exist.`, {
        hint: "Connectivity is that of the client whose id is the name of a registered thing.",
      });
    }
    const allowed = filter?.connectivity?.includeSocketInformation ?? [];
    if (includeSocketInformation && !allowed.includes("GET_THING_CONNECTIVITY_DATA")) {
      throw cloudError("InvalidRequestException", "Socket information is not enabled.", {
        hint: "Set filter.connectivity.includeSocketInformation to GET_THING_CONNECTIVITY_DATA.",
      });
    }
    const known = this.documents.connectivity(thingName) ?? { connected: false };
    if (includeSocketInformation) return known;
    const { sourceIp: _, sourcePort: __, targetIp: ___, targetPort: ____, ...rest } = known;
    return rest;
  }

  /**
   * Checks the query of a dynamic thing group.
   * @throws FleetrigError `CLOUD_INVALID_QUERY`, or `CLOUD_NOT_FOUND` while things are not indexed.
   */
  assertQuery(queryString: string): void {
    this.things.assertOn();
    this.standingQuery(queryString);
  }

  /**
   * The things that match a query from now on, for dynamic thing groups: each thing joins and leaves as the index
   * follows its changes, in the order of indexing at first and of changes later. While indexing is off, nothing matches.
   */
  watch(queryString: string, listener: StandingListener): Watch {
    return this.things.watch(this.standingQuery(queryString), listener);
  }

  stop(): void {
    this.things.stop();
    this.groups.stop();
  }

  private get configuration(): IndexingConfiguration {
    return this.table.get(CONFIGURATION_KEY) ?? INDEXING_OFF;
  }

  private standingQuery(queryString: string): Query {
    return parseQuery(queryString, { ...this.limits, maxTerms: this.limits.maxDynamicGroupTerms });
  }

  private apply(before: IndexingConfiguration, after: IndexingConfiguration): void {
    const { thingIndexingConfiguration: things, thingGroupIndexingConfiguration: groups } = after;
    this.sources = sourcesOf(things);
    if (things.thingIndexingMode === "OFF") this.things.turnOff();
    else if (things !== before.thingIndexingConfiguration) this.things.build();
    if (groups.thingGroupIndexingMode === "OFF") this.groups.turnOff();
    else if (groups !== before.thingGroupIndexingConfiguration) this.groups.build();
  }

  private indexNamed(name = "AWS_Things"): NamedIndex {
    const index = [this.things, this.groups].find((each) => each.name === name);
    if (index !== undefined) return index;
    throw cloudError("ResourceNotFoundException", `The index ${name} does not exist.`, {
      hint: "There are AWS_Things and AWS_ThingGroups.",
    });
  }

  private question(request: Pick<SearchIndexRequest, "indexName" | "queryString" | "queryVersion">): {
    readonly index: NamedIndex;
    readonly query: Query;
  } {
    const index = this.indexNamed(request.indexName);
    index.assertReady();
    assertQueryVersion(request.queryVersion);
    const query = parseQuery(request.queryString, this.limits);
    this.meter();
    return { index, query };
  }

  private render(index: NamedIndex, names: readonly string[]): SearchIndexResponse {
    if (index === this.groups) {
      const groups = names.map((name) => this.documents.thingGroup(name));
      return { thingGroups: groups.filter((group) => group !== undefined).map(thingGroupView) };
    }
    const things = names.map((name) => this.documents.thing(name, this.sources));
    return {
      things: things.filter((thing) => thing !== undefined).map((thing) => thingView(thing, this.sources)),
    };
  }
}

function assertQueryVersion(version: string | undefined): void {
  if (version === undefined || version === QUERY_VERSION) return;
  throw cloudError("InvalidQueryException", `There is no query version ${version.slice(0, 64)}.`, {
    hint: `Use ${QUERY_VERSION}, or leave queryVersion out.`,
  });
}

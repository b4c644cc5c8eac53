import type {
  AggregationRequest,
  IndexingConfiguration,
  SearchIndexRequest,
} from "../../fleet-index/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface BucketsInput extends AggregationRequest {
  readonly bucketsAggregationType: { readonly termsAggregation?: { readonly maxBuckets?: number } };
}

interface ConnectivityInput {
  readonly thingName: string;
  readonly includeSocketInformation?: boolean;
}

const DEFAULT_PAGE = 100;

/** Fleet indexing: configuration, indices, search and aggregations (REF §13.2, §13.3). */
export const fleetIndexOperations: OperationTable = {
  UpdateIndexingConfiguration: operation<Partial<IndexingConfiguration>>(
    (input, { cloud }) => {
      cloud.indexing.updateIndexingConfiguration(input);
      return {};
    },
    { lacks: "Geolocation is not indexed; no violations of Device Defender arise that could be." },
  ),
  GetIndexingConfiguration: operation((_, { cloud }) => ({ ...cloud.indexing.getIndexingConfiguration() })),
  ListIndices: operation<ListRequest>((page, { cloud }) => {
    const { indexNames } = cloud.indexing.listIndices();
    const sorted = indexNames.toSorted((a, b) => (a < b ? -1 : 1));
    const { items, nextToken } = pageByName(sorted, page, {
      nameOf: (name) => name,
      defaultSize: DEFAULT_PAGE,
    });
    return { indexNames: items, nextToken };
  }),
  DescribeIndex: operation<{ readonly indexName: string }>(({ indexName }, { cloud }) =>
    cloud.indexing.describeIndex(indexName),
  ),
  SearchIndex: operation<SearchIndexRequest>(
    (input, { cloud }) => ({ ...cloud.indexing.searchIndex(input) }),
    {
      lacks: "Queries about places (geo_distance, geo_within_…) are refused.",
    },
  ),
  GetStatistics: operation<AggregationRequest>((input, { cloud }) => ({
    statistics: cloud.indexing.aggregations(input).statistics(),
  })),
  GetCardinality: operation<AggregationRequest>((input, { cloud }) => ({
    cardinality: cloud.indexing.aggregations(input).cardinality(),
  })),
  GetPercentiles: operation<AggregationRequest & { readonly percents?: readonly number[] }>(
    ({ percents, ...request }, { cloud }) => ({
      percentiles: cloud.indexing.aggregations(request).percentiles(percents),
    }),
  ),
  GetBucketsAggregation: operation<BucketsInput>(({ bucketsAggregationType, ...request }, { cloud }) =>
    cloud.indexing.aggregations(request).buckets(bucketsAggregationType.termsAggregation?.maxBuckets),
  ),
  GetThingConnectivityData: operation<ConnectivityInput>(
    ({ thingName, includeSocketInformation }, { cloud }) => {
      const { timestamp, ...rest } = cloud.indexing.getThingConnectivityData(
        thingName,
        includeSocketInformation,
      );
      return { thingName, ...rest, timestamp: timestamp === undefined ? undefined : timestamp / 1000 };
    },
  ),
};

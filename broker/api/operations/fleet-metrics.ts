import type {
  CreateFleetMetricRequest,
  FleetMetric,
  UpdateFleetMetricRequest,
} from "../../fleet-index/index.js";
import type { Tag } from "../../registry/index.js";
import type { Account } from "../../account.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface MetricInput {
  readonly metricName: string;
}

const DEFAULT_PAGE = 100;

const namesOf = ({ metricName }: FleetMetric, account: Account) => ({
  metricName,
  metricArn: account.arn("fleetmetric", metricName),
});

/** Fleet metrics. */
export const fleetMetricOperations: OperationTable = {
  CreateFleetMetric: operation<CreateFleetMetricRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const isNew = !cloud.fleetMetrics.has(request.metricName);
      const metric = cloud.fleetMetrics.create(request);
      if (isNew) cloud.tags.tagNew("fleetmetric", metric.metricName, tags);
      return namesOf(metric, account);
    },
  ),
  UpdateFleetMetric: operation<UpdateFleetMetricRequest>((input, { cloud }) => {
    cloud.fleetMetrics.update(input);
    return undefined;
  }),
  DeleteFleetMetric: operation<MetricInput & { readonly expectedVersion?: number }>(
    ({ metricName, expectedVersion }, { cloud }) => {
      cloud.fleetMetrics.delete(metricName, expectedVersion);
      cloud.tags.forget("fleetmetric", metricName);
      return undefined;
    },
  ),
  DescribeFleetMetric: operation<MetricInput>(({ metricName }, { cloud, account }) => {
    const metric = cloud.fleetMetrics.describe(metricName);
    const { creationDateMs, lastModifiedDateMs, ...rest } = metric;
    return {
      indexName: "AWS_Things",
      queryVersion: "2017-09-30",
      ...rest,
      ...namesOf(metric, account),
      creationDate: creationDateMs / 1000,
      lastModifiedDate: lastModifiedDateMs / 1000,
    };
  }),
  ListFleetMetrics: operation<ListRequest>((page, { cloud, account }) => {
    const { items, nextToken } = pageByName(cloud.fleetMetrics.list(), page, {
      nameOf: ({ metricName }) => metricName,
      defaultSize: DEFAULT_PAGE,
    });
    return { fleetMetrics: items.map((metric) => namesOf(metric, account)), nextToken };
  }),
};

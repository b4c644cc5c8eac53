import type { Account } from "../../account.js";
import type { Tag } from "../../registry/index.js";
import type { CreateStreamRequest, Stream, UpdateStreamRequest } from "../../streams/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface StreamInput {
  readonly streamId: string;
}

const DEFAULT_PAGE = 250;

const summary = ({ streamId, streamVersion, description }: Stream, account: Account) => ({
  streamId,
  streamArn: account.arn("stream", streamId),
  description,
  streamVersion,
});

/** File streams as operators keep them (REF §8). */
export const streamOperations: OperationTable = {
  CreateStream: operation<CreateStreamRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const stream = cloud.management.streams.create(request);
      cloud.tags.tagNew("stream", request.streamId, tags);
      return summary(stream, account);
    },
    { lacks: "Files are the newest artifacts of their names; versions of S3 objects are not told apart." },
  ),
  UpdateStream: operation<UpdateStreamRequest>((request, { cloud, account }) =>
    summary(cloud.management.streams.update(request), account),
  ),
  DeleteStream: operation<StreamInput>(({ streamId }, { cloud }) => {
    cloud.management.streams.delete(streamId);
    cloud.tags.forget("stream", streamId);
    return undefined;
  }),
  DescribeStream: operation<StreamInput>(({ streamId }, { cloud, account }) => {
    const { createdAtMs, lastUpdatedAtMs, files, roleArn, ...stream } =
      cloud.management.streams.get(streamId);
    return {
      streamInfo: {
        ...stream,
        streamArn: account.arn("stream", streamId),
        files,
        roleArn,
        createdAt: createdAtMs / 1000,
        lastUpdatedAt: lastUpdatedAtMs / 1000,
      },
    };
  }),
  ListStreams: operation<ListRequest & { readonly ascendingOrder?: boolean }>(
    ({ ascendingOrder = false, ...request }, { cloud, account }) => {
      const { items, nextToken } = pageByName(cloud.management.streams.all(), request, {
        nameOf: ({ streamId }) => streamId,
        defaultSize: DEFAULT_PAGE,
        isDescending: !ascendingOrder,
      });
      return { streams: items.map((stream) => summary(stream, account)), nextToken };
    },
  ),
};

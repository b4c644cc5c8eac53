import type { Account } from "../../account.js";
import type { CreateOtaUpdateRequest, OtaUpdate } from "../../ota/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface UpdateInput {
  readonly otaUpdateId: string;
}

const DEFAULT_PAGE = 250;
/** What is made is complete: nothing here takes time. */
const STATUS = "CREATE_COMPLETE";

const summary = ({ otaUpdateId, createdAtMs }: OtaUpdate, account: Account) => ({
  otaUpdateId,
  otaUpdateArn: account.arn("otaupdate", otaUpdateId),
  creationDate: createdAtMs / 1000,
});

/** Over-the-air updates (REF §8). */
export const otaUpdateOperations: OperationTable = {
  CreateOTAUpdate: operation<CreateOtaUpdateRequest & { readonly tags?: readonly Tag[] }>(
    ({ tags, ...request }, { cloud, account }) => {
      cloud.tags.assertNew(tags);
      const { otaUpdateId, awsIotJobId } = cloud.management.otaUpdates.create(request, account);
      cloud.tags.tagNew("otaupdate", otaUpdateId, tags);
      return {
        otaUpdateId,
        awsIotJobId,
        otaUpdateArn: account.arn("otaupdate", otaUpdateId),
        awsIotJobArn: account.arn("job", awsIotJobId),
        otaUpdateStatus: "CREATE_PENDING",
      };
    },
    { lacks: "Files come signed: AWS Signer is not available." },
  ),
  GetOTAUpdate: operation<UpdateInput>(({ otaUpdateId }, { cloud, account }) => {
    const update = cloud.management.otaUpdates.get(otaUpdateId);
    const { description, targets, protocols = ["MQTT"], targetSelection = "SNAPSHOT", files } = update;
    return {
      otaUpdateInfo: {
        ...summary(update, account),
        lastModifiedDate: update.createdAtMs / 1000,
        description,
        targets,
        protocols,
        awsJobExecutionsRolloutConfig: update.awsJobExecutionsRolloutConfig,
        awsJobPresignedUrlConfig: update.awsJobPresignedUrlConfig,
        targetSelection,
        otaUpdateFiles: files,
        otaUpdateStatus: STATUS,
        awsIotJobId: update.awsIotJobId,
        awsIotJobArn: account.arn("job", update.awsIotJobId),
        additionalParameters: update.additionalParameters,
      },
    };
  }),
  ListOTAUpdates: operation<ListRequest & { readonly otaUpdateStatus?: string }>(
    ({ otaUpdateStatus = STATUS, ...request }, { cloud, account }) => {
      const wanted = otaUpdateStatus === STATUS ? cloud.management.otaUpdates.all() : [];
      const { items, nextToken } = pageByName(wanted, request, {
        nameOf: ({ createdAtMs, otaUpdateId }) => `${String(createdAtMs).padStart(14, "0")}/${otaUpdateId}`,
        defaultSize: DEFAULT_PAGE,
      });
      return { otaUpdates: items.map((update) => summary(update, account)), nextToken };
    },
  ),
  DeleteOTAUpdate: operation<
    UpdateInput & { readonly deleteStream?: boolean; readonly forceDeleteAWSJob?: boolean }
  >(({ otaUpdateId, deleteStream = false, forceDeleteAWSJob = false }, { cloud }) => {
    cloud.management.otaUpdates.delete(otaUpdateId, { deleteStream, force: forceDeleteAWSJob });
    cloud.tags.forget("otaupdate", otaUpdateId);
    return undefined;
  }),
};

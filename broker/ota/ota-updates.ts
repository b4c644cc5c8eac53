import { type Clock, FleetrigError, isJsonObject } from "fleetrig/kernel";
import type { Account } from "../account.js";
import type { ArtifactStore } from "../artifacts/index.js";
import { cloudError } from "../cloud-error.js";
import { type CreateJobRequest, type JobsService } from "../jobs/index.js";
import { fromRecord, type RecordBook, type RecordTable, toRecord } from "../records/index.js";
import type { Streams } from "../streams/index.js";
import { type DocumentFile, otaDocument } from "./ota-document.js";
import type { CreateOtaUpdateRequest, OtaFile, OtaUpdate } from "./ota-request.js";

export interface OtaUpdatesOptions {
  readonly clock: Clock;
  readonly records: RecordBook;
  readonly jobs: JobsService;
  readonly streams: Streams;
  readonly artifacts: ArtifactStore;
}

/** AWS: what the ids of the jobs and streams of updates begin with. */
const PREFIX = "AFR_OTA-";
const MAX_JOB_ID_CHARS = 64;

const invalid = (sentence: string, hint?: string): Error =>
  cloudError("InvalidRequestException", sentence, hint === undefined ? {} : { hint });

/** Over-the-air updates: each is a job with FreeRTOS's document, and a stream of its files. */
export class OtaUpdates {
  private readonly table: RecordTable<OtaUpdate>;

  constructor(private readonly options: OtaUpdatesOptions) {
    this.table = options.records.table<OtaUpdate>("ota-updates", {
      write: toRecord,
      read: (value) =>
        isJsonObject(value) && typeof value["awsIotJobId"] === "string"
          ? (fromRecord(value) as OtaUpdate)
          : undefined,
    });
  }

  /**
   * Creates stream and job. Everything is checked before anything is made.
   * @throws CLOUD_ALREADY_EXISTS, CLOUD_INVALID_REQUEST, CLOUD_NOT_FOUND, CLOUD_NOT_IMPLEMENTED
   */
  create(request: CreateOtaUpdateRequest, account: Account): OtaUpdate {
    const { otaUpdateId, protocols = ["MQTT"] } = request;
    const { streams, jobs, clock } = this.options;
    const awsIotJobId = `${PREFIX}${otaUpdateId}`;
    if (this.table.has(otaUpdateId) || jobs.has(awsIotJobId))
      throw cloudError("ResourceAlreadyExistsException", `OTA update ${otaUpdateId} exists already.`, {
        members: { resourceId: otaUpdateId },
      });
    if (awsIotJobId.length > MAX_JOB_ID_CHARS)
      throw invalid(`${awsIotJobId} is too long for a job.`, "Use an id of at most 56 characters.");
    const files = request.files.map((file, index) => this.documentFile(file, index));
    const foreignStreamId = sharedStream(request.files);
    const ownStreamId = protocols.includes("MQTT") && foreignStreamId === undefined ? awsIotJobId : undefined;
    const streamId = foreignStreamId ?? ownStreamId;
    const document = otaDocument({ protocols, streamId, files, region: account.region });
    if (ownStreamId !== undefined) {
      const streamFiles = files.map(({ fileId, artifact: { bucket, key } }) => ({
        fileId,
        s3Location: { bucket, key },
      }));
      streams.create({ streamId: ownStreamId, files: streamFiles, roleArn: request.roleArn });
    }
    try {
      jobs.createJob(jobOf(request, awsIotJobId, document), account);
    } catch (error) {
      if (ownStreamId !== undefined) streams.delete(ownStreamId);
      throw error;
    }
    const update: OtaUpdate = {
      ...request,
      awsIotJobId,
      ...(ownStreamId !== undefined && { ownStreamId }),
      createdAtMs: clock.wallMs(),
    };
    this.table.set(otaUpdateId, update);
    return update;
  }

  find(otaUpdateId: string): OtaUpdate | undefined {
    return this.table.get(otaUpdateId);
  }

  /** @throws CLOUD_NOT_FOUND */
  get(otaUpdateId: string): OtaUpdate {
    const update = this.find(otaUpdateId);
    if (update === undefined)
      throw cloudError("ResourceNotFoundException", `There is no OTA update ${otaUpdateId}.`);
    return update;
  }

  /**
   * Deletes the update with its job, and with `deleteStream` the stream that was made for it.
   * @throws CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST for a job under way, without `force`.
   */
  delete(otaUpdateId: string, how: { readonly deleteStream: boolean; readonly force: boolean }): void {
    const { jobs, streams } = this.options;
    const { awsIotJobId, ownStreamId } = this.get(otaUpdateId);
    try {
      if (jobs.has(awsIotJobId)) jobs.deleteJob({ jobId: awsIotJobId, force: how.force });
    } catch (error) {
      if (!(error instanceof FleetrigError)) throw error;
      throw invalid(error.sentence, "Cancel the job first, or delete with forceDeleteAWSJob.");
    }
    if (how.deleteStream && ownStreamId !== undefined && streams.find(ownStreamId) !== undefined)
      streams.delete(ownStreamId);
    this.table.delete(otaUpdateId);
  }

  /** By creation, then by id. */
  all(): readonly OtaUpdate[] {
    return [...this.table.values()].sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.otaUpdateId < b.otaUpdateId ? -1 : 1),
    );
  }

  private documentFile(file: OtaFile, index: number): DocumentFile {
    const { codeSigning, fileLocation } = file;
    if (codeSigning?.awsSignerJobId !== undefined || codeSigning?.startSigningJobParameter !== undefined)
      throw cloudError("NotImplementedException", "AWS Signer is not available.", {
        hint: "Sign the file yourself and give customCodeSigning.",
      });
    const { stream, s3Location } = fileLocation ?? {};
    if ((stream === undefined) === (s3Location === undefined))
      throw invalid(`File ${index} needs a location: either an s3Location or a stream.`);
    const fileId = stream?.fileId ?? index;
    const place =
      s3Location ??
      this.options.streams.get(stream?.streamId ?? "").files.find((entry) => entry.fileId === fileId)
        ?.s3Location;
    const artifact = place === undefined ? undefined : this.options.artifacts.find(place);
    if (artifact === undefined)
      throw invalid(`There is no artifact for file ${index}.`, "Put it into the cloud's artifacts first.");
    return { file, fileId, artifact };
  }
}

/** The stream that all files come from; undefined when they are artifacts. */
function sharedStream(files: readonly OtaFile[]): string | undefined {
  const ids = new Set(files.map(({ fileLocation }) => fileLocation?.stream?.streamId));
  if (ids.size > 1) throw invalid("All files of an update come from artifacts, or from one stream.");
  return [...ids][0];
}

function jobOf(
  request: CreateOtaUpdateRequest,
  jobId: string,
  document: CreateJobRequest["document"],
): CreateJobRequest {
  const { description, targetSelection, awsJobExecutionsRolloutConfig: rollout } = request;
  const { awsJobPresignedUrlConfig: presigned, awsJobTimeoutConfig: timeout } = request;
  const abort = request.awsJobAbortConfig?.abortCriteriaList;
  return {
    jobId,
    targets: request.targets,
    document,
    ...(description !== undefined && { description }),
    ...(targetSelection !== undefined && { targetSelection }),
    ...(rollout !== undefined && { jobExecutionsRolloutConfig: rollout }),
    ...(timeout !== undefined && { timeoutConfig: timeout }),
    ...(abort !== undefined && { abortConfig: { criteriaList: abort } }),
    presignedUrlConfig: { roleArn: request.roleArn, ...presigned },
  };
}

import { type Clock, isJsonObject, type JsonObject } from "fleetrig/kernel";
import { cloudError } from "../cloud-error.js";
import type { RecordBook, RecordTable } from "../records/index.js";

/** AWS: one file of a stream. */
interface StreamFile {
  /** 0 to 255, unique within its stream. */
  readonly fileId: number;
  readonly s3Location: { readonly bucket: string; readonly key: string; readonly version?: string };
}

/** AWS: CreateStream. */
export interface CreateStreamRequest {
  readonly streamId: string;
  readonly description?: string;
  readonly files: readonly StreamFile[];
  readonly roleArn: string;
}

/** AWS: UpdateStream; what is left out stays. */
export interface UpdateStreamRequest {
  readonly streamId: string;
  readonly description?: string;
  readonly files?: readonly StreamFile[];
  readonly roleArn?: string;
}

/** Files that devices fetch block by block over MQTT. */
export interface Stream extends CreateStreamRequest {
  /** 1 at first, one more with each update; 65,535 is followed by 0. */
  readonly streamVersion: number;
  readonly createdAtMs: number;
  readonly lastUpdatedAtMs: number;
}

const VERSIONS = 65_536;

/** The streams of the account, which are written down. */
export class Streams {
  private readonly table: RecordTable<Stream>;

  constructor(private readonly options: { readonly clock: Clock; readonly records: RecordBook }) {
    this.table = options.records.table("streams", {
      // A stream that was validated is JSON; TypeScript cannot see that of an interface.
      write: (stream) => stream as unknown as JsonObject,
      read: (value) =>
        isJsonObject(value) && Array.isArray(value["files"]) ? (value as unknown as Stream) : undefined,
    });
  }

  /** @throws CLOUD_ALREADY_EXISTS, CLOUD_INVALID_REQUEST */
  create(request: CreateStreamRequest): Stream {
    if (this.table.has(request.streamId))
      throw cloudError("ResourceAlreadyExistsException", `Stream ${request.streamId} exists already.`, {
        members: { resourceId: request.streamId },
      });
    assertFiles(request.files);
    const nowMs = this.options.clock.wallMs();
    const stream = { ...request, streamVersion: 1, createdAtMs: nowMs, lastUpdatedAtMs: nowMs };
    this.table.set(request.streamId, stream);
    return stream;
  }

  /** @throws CLOUD_NOT_FOUND, CLOUD_INVALID_REQUEST */
  update(request: UpdateStreamRequest): Stream {
    const before = this.get(request.streamId);
    if (request.files !== undefined) assertFiles(request.files);
    const stream = {
      ...before,
      ...request,
      streamVersion: (before.streamVersion + 1) % VERSIONS,
      lastUpdatedAtMs: this.options.clock.wallMs(),
    };
    this.table.set(request.streamId, stream);
    return stream;
  }

  /** @throws CLOUD_NOT_FOUND */
  delete(streamId: string): void {
    this.get(streamId);
    this.table.delete(streamId);
  }

  find(streamId: string): Stream | undefined {
    return this.table.get(streamId);
  }

  /** @throws CLOUD_NOT_FOUND */
  get(streamId: string): Stream {
    const stream = this.find(streamId);
    if (stream === undefined)
      throw cloudError("ResourceNotFoundException", `There is no stream ${streamId}.`);
    return stream;
  }

  /** By id. */
  all(): readonly Stream[] {
    return [...this.table.values()].sort((a, b) => (a.streamId < b.streamId ? -1 : 1));
  }
}

function assertFiles(files: readonly StreamFile[]): void {
  const ids = new Set(files.map(({ fileId }) => fileId));
  if (ids.size !== files.length)
    throw cloudError("InvalidRequestException", "Two files of the stream have the same fileId.");
}

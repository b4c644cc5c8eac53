import { Buffer } from "node:buffer";
import { isJsonObject } from "fleetrig/kernel";
import {
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  formatReservedTopic,
  parseReservedTopic,
  type StreamMessage,
  type StreamTopic,
} from "fleetrig/protocol";
import type { Artifact, ArtifactStore } from "../artifacts/index.js";
import type { ApplicationMessage } from "../message.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import {
  type BlockRequest,
  readBlockRequest,
  readToken,
  type StreamErrorCode,
  wantedBlocks,
} from "./block-request.js";
import type { Stream, Streams } from "./streams.js";

export interface StreamDeliveryParts {
  readonly bus: MessageBus;
  readonly streams: Streams;
  readonly artifacts: ArtifactStore;
}

/** One request on its way to its answers. */
interface Asking {
  readonly message: ApplicationMessage;
  readonly topic: StreamTopic;
  readonly body: CborMap;
  readonly token: string | undefined;
}

const MAX_DEPTH = 4;
const MAX_ITEMS = 64;
/** AWS: 24 MB. */
const MAX_FILE_BYTES = 24 * 1024 * 1024;

/**
 * MQTT file streams (REF §8): devices ask for a description or for blocks of a file, and the answers go straight to
 * them (class D), one message for each block.
 */
export class StreamDelivery implements ReservedTopicService {
  constructor(private readonly parts: StreamDeliveryParts) {}

  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    if (topic?.service !== "streams") return "broker";
    if (message.publisher === undefined) return "broker";
    if (topic.message === "describe" || topic.message === "get") this.respond(message, topic);
    return "consumed";
  }

  private respond(message: ApplicationMessage, topic: StreamTopic): void {
    const body = readBody(message, topic);
    const asking = { message, topic, body: body ?? {}, token: undefined };
    if (body === undefined)
      return this.reject(
        asking,
        topic.format === "cbor" ? "InvalidCbor" : "InvalidJson",
        "The payload is no map.",
      );
    const reading = readToken(body);
    if (reading === "invalid") return this.reject(asking, "InvalidRequest", "c has at most 64 bytes.");
    const known = { ...asking, token: reading.token };
    const stream = this.parts.streams.find(topic.streamId);
    if (stream === undefined)
      return this.reject(known, "ResourceNotFound", `There is no stream ${topic.streamId}.`);
    if (topic.message === "describe") this.describe(known, stream);
    else this.deliver(known, stream);
  }

  private describe(asking: Asking, stream: Stream): void {
    const files: CborMap[] = [];
    for (const { fileId, s3Location } of stream.files) {
      const artifact = this.parts.artifacts.find(s3Location);
      if (artifact === undefined)
        return this.reject(asking, "ResourceNotFound", `There is no artifact for file ${fileId}.`);
      files.push({ f: fileId, z: artifact.sizeBytes });
    }
    this.send(asking, "description", { s: stream.streamVersion, d: stream.description ?? "", r: files });
  }

  private deliver(asking: Asking, stream: Stream): void {
    const reading = readBlockRequest(asking.body);
    if (!reading.ok) return this.reject(asking, reading.code, reading.message);
    const { request } = reading;
    if (request.streamVersion !== undefined && request.streamVersion !== stream.streamVersion)
      return this.reject(asking, "VersionMismatch", `The stream has version ${stream.streamVersion}.`);
    const file = stream.files.find(({ fileId }) => fileId === request.fileId);
    const artifact = file === undefined ? undefined : this.parts.artifacts.find(file.s3Location);
    if (artifact === undefined)
      return this.reject(asking, "ResourceNotFound", `There is no file ${request.fileId} in the stream.`);
    if (artifact.sizeBytes > MAX_FILE_BYTES)
      return this.reject(asking, "InvalidRequest", "The file is larger than 24 MB.");
    if (request.offset > 0 && request.offset * request.blockBytes >= artifact.sizeBytes)
      return this.reject(asking, "OffsetOutOfBounds", `The file has ${artifact.sizeBytes} bytes.`);
    this.sendBlocks(asking, artifact, request);
  }

  private sendBlocks(asking: Asking, artifact: Artifact, request: BlockRequest): void {
    const { blockBytes, fileId } = request;
    const blocks = Math.ceil(artifact.sizeBytes / blockBytes);
    for (const index of wantedBlocks(request, blocks)) {
      const bytes = artifact.read(index * blockBytes, blockBytes);
      const payload = asking.topic.format === "cbor" ? bytes : Buffer.from(bytes).toString("base64");
      this.send(asking, "data", { f: fileId, l: bytes.byteLength, i: index, p: payload });
    }
  }

  private reject(asking: Asking, code: StreamErrorCode, message: string): void {
    this.send(asking, "rejected", { o: code, m: message });
  }

  private send(asking: Asking, message: StreamMessage, body: Readonly<Record<string, CborValue>>): void {
    const { topic, token } = asking;
    const { publisher, qos } = asking.message;
    const answer = token === undefined ? body : { c: token, ...body };
    this.parts.bus.sendDirect(publisher!, {
      topic: formatReservedTopic({ ...topic, message }),
      payload: topic.format === "cbor" ? encodeCbor(answer) : JSON.stringify(answer),
      qos: qos === 0 ? 0 : 1,
    });
  }
}

/** An empty payload means `{}`. */
function readBody(message: ApplicationMessage, { format }: StreamTopic): CborMap | undefined {
  if (message.payload.byteLength === 0) return {};
  const parsed =
    format === "cbor" ? decodeCbor(message.payload, { depth: MAX_DEPTH, items: MAX_ITEMS }) : message.json();
  return parsed.ok && isJsonObject(parsed.value) && !(parsed.value instanceof Uint8Array)
    ? parsed.value
    : undefined;
}

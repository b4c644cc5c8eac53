import type { PayloadFormat } from "./provisioning-topics.js";

/** A device asks with `describe` and `get`; the cloud answers with the others (REF §8). */
export type StreamMessage = "describe" | "get" | "description" | "data" | "rejected";

/** A topic of `$aws/things/<thing>/streams/<stream>/…`. */
export interface StreamTopic {
  readonly service: "streams";
  readonly thing: string;
  readonly streamId: string;
  readonly message: StreamMessage;
  readonly format: PayloadFormat;
}

/** AWS: 1 to 128 letters, digits, underscores and hyphens. */
export const isStreamId = (text: string): boolean => /^[a-zA-Z0-9_-]{1,128}$/.test(text);

const REST = /^([a-zA-Z0-9_-]{1,128})\/(describe|get|description|data|rejected)\/(json|cbor)$/;

/** @param rest What follows `streams/`. */
export function parseStreamTopic(thing: string, rest: string): StreamTopic | undefined {
  const match = REST.exec(rest);
  return match === null
    ? undefined
    : {
        service: "streams",
        thing,
        streamId: match[1]!,
        message: match[2] as StreamMessage,
        format: match[3] as PayloadFormat,
      };
}

/** Inverse of `parseStreamTopic`. */
export const formatStreamTopic = ({ thing, streamId, message, format }: StreamTopic): string =>
  `$aws/things/${thing}/streams/${streamId}/${message}/${format}`;

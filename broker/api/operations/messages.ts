import { isJsonObject, parseJson } from "fleetrig/kernel";
import { isTopicName, type MessageProperties, type UserProperty } from "fleetrig/protocol";
import { cloudError } from "../../cloud-error.js";
import type { ApplicationMessage } from "../../message.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface MessageInput {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly contentType?: string;
  readonly responseTopic?: string;
  /** Base64 of a JSON list of objects. */
  readonly userProperties?: string;
  readonly payloadFormatIndicator?: "UNSPECIFIED_BYTES" | "UTF8_DATA";
  /** Base64. */
  readonly correlationData?: string;
}

interface PublishInput extends MessageInput {
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
  readonly messageExpiry?: number;
}

interface DirectMessageInput extends MessageInput {
  readonly clientId: string;
  readonly confirmation?: boolean;
}

const MAX_PAYLOAD_BYTES = 131_072;
const DEFAULT_PAGE = 200;

/** Publishing without a connection, and what the broker keeps for later subscribers. */
export const messageOperations: OperationTable = {
  Publish: operation<PublishInput>(
    (input, { cloud }) => {
      const { topic, payload, qos = 0, retain = false } = input;
      assertMessage(input);
      if (topic.startsWith("$aws/events/"))
        throw cloudError("InvalidRequestException", "Only the cloud publishes below $aws/events.");
      const expiry = input.messageExpiry === undefined ? {} : { messageExpiryS: input.messageExpiry };
      cloud.broker.publish({ topic, payload, qos, retain, ...propertiesOf(input), ...expiry });
      return undefined;
    },
    {
      access: ({ topic, retain = false }) => {
        const resource = `topic/${topic}`;
        const publish = { action: "iot:Publish", resource };
        return retain ? [publish, { action: "iot:RetainPublish", resource }] : publish;
      },
    },
  ),
  SendDirectMessage: operation<DirectMessageInput>(
    (input, { cloud }) => {
      assertMessage(input);
      const { clientId, topic, payload, confirmation = false } = input;
      const message = { topic, payload, qos: confirmation ? 1 : 0, ...propertiesOf(input) } as const;
      if (!cloud.broker.sendDirect(clientId, message))
        throw cloudError("ResourceNotFoundException", `Client ${JSON.stringify(clientId)} is not connected.`);
      return { message: "OK" };
    },
    {
      access: ({ clientId }) => ({ action: "iot:SendDirectMessage", resource: `client/${clientId}` }),
      lacks: "With confirmation the message has QoS 1, but the answer does not wait for the client's PUBACK.",
    },
  ),
  GetRetainedMessage: operation<{ readonly topic: string }>(
    ({ topic }, { cloud }) => {
      const message = isTopicName(topic) ? cloud.broker.retained(topic)[0] : undefined;
      if (message === undefined)
        throw cloudError("ResourceNotFoundException", `Nothing is retained on ${JSON.stringify(topic)}.`);
      const { userProperties } = message.properties;
      return {
        topic,
        payload: message.payload,
        qos: message.qos,
        lastModifiedTime: cloud.toWallMs(message.receivedAtUs),
        userProperties:
          userProperties === undefined
            ? undefined
            : Buffer.from(JSON.stringify(userProperties.map(([name, value]) => ({ [name]: value })))),
      };
    },
    { access: ({ topic }) => ({ action: "iot:GetRetainedMessage", resource: `topic/${topic}` }) },
  ),
  ListRetainedMessages: operation<ListRequest>(
    (request, { cloud }) => {
      const all = Array.from(cloud.broker.allRetained()).sort(byTopic);
      const { items, nextToken } = pageByName(all, request, {
        nameOf: ({ topic }) => topic,
        defaultSize: DEFAULT_PAGE,
      });
      return {
        retainedTopics: items.map(({ topic, payload, qos, receivedAtUs }) => ({
          topic,
          payloadSize: payload.byteLength,
          qos,
          lastModifiedTime: cloud.toWallMs(receivedAtUs),
        })),
        nextToken,
      };
    },
    { access: () => ({ action: "iot:ListRetainedMessages", resource: "*" }) },
  ),
};

const byTopic = (a: ApplicationMessage, b: ApplicationMessage): number => (a.topic < b.topic ? -1 : 1);

function assertMessage({ topic, payload, responseTopic }: MessageInput): void {
  if (!isTopicName(topic))
    throw cloudError("InvalidRequestException", `${JSON.stringify(topic)} is no topic name.`, {
      hint: "Topic names have no wildcards.",
    });
  if (responseTopic !== undefined && !isTopicName(responseTopic))
    throw cloudError("InvalidRequestException", `${JSON.stringify(responseTopic)} is no topic name.`);
  if (payload.byteLength > MAX_PAYLOAD_BYTES)
    throw cloudError(
      "RequestEntityTooLargeException",
      `The payload has ${payload.byteLength} bytes; 128 KiB are allowed.`,
    );
}

function propertiesOf(input: MessageInput): MessageProperties {
  const { contentType, responseTopic, correlationData, payloadFormatIndicator } = input;
  return {
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData, "base64") }),
    ...(payloadFormatIndicator === "UTF8_DATA" && { payloadFormat: 1 as const }),
    ...(input.userProperties !== undefined && { userProperties: userPropertiesOf(input.userProperties) }),
  };
}

/** Plain JSON is taken too: tools that fill in headers by hand forget the base64. */
function userPropertiesOf(header: string): readonly UserProperty[] {
  const text = header.trimStart().startsWith("[") ? header : Buffer.from(header, "base64").toString();
  const parsed = parseJson(text, 3);
  if (!parsed.ok || !Array.isArray(parsed.value))
    throw cloudError("InvalidRequestException", "userProperties is no base64 of a JSON list.");
  return parsed.value.flatMap((entry) => {
    if (!isJsonObject(entry)) throw cloudError("InvalidRequestException", "userProperties lists objects.");
    return Object.entries(entry).map(
      ([name, value]): UserProperty => [name, typeof value === "string" ? value : JSON.stringify(value)],
    );
  });
}

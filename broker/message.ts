import { type JsonParse, parseJson } from "fleetrig/kernel";
import type { MessageProperties, QoS, UserProperty } from "fleetrig/protocol";

/** Nesting that any JSON consumer of ours accepts; services apply tighter limits of their own. */
const MAX_JSON_DEPTH = 64;

/** What a publish says, whoever sent it. */
export interface MessageFields extends MessageProperties {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Published by the broker on behalf of a client that was lost. Default false. */
  readonly isWill?: boolean;
}

/**
 * One application message inside the cloud: what a PUBLISH carried, who sent it and when it came.
 * Immutable and shared by everyone it is routed to; the JSON view is parsed at most once.
 */
export class ApplicationMessage implements MessageFields {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Services on reserved topics ignore wills (REF §2.4); subscribers and rules do not. */
  readonly isWill: boolean;
  readonly properties: MessageProperties;
  /** Client that published it; undefined for the cloud's own messages. */
  readonly publisher: string | undefined;
  readonly receivedAtUs: number;
  private text: string | undefined;
  private parsed: JsonParse | undefined;

  constructor(fields: MessageFields, publisher: string | undefined, receivedAtUs: number) {
    this.topic = fields.topic;
    this.payload = fields.payload;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.isWill = fields.isWill ?? false;
    this.properties = fields;
    this.publisher = publisher;
    this.receivedAtUs = receivedAtUs;
  }

  /** The payload as UTF-8 text. */
  payloadText(): string {
    this.text ??= asBuffer(this.payload).toString();
    return this.text;
  }

  /** The payload as JSON; nesting is limited before anything recurses into it. */
  json(): JsonParse {
    this.parsed ??= parseJson(this.payloadText(), MAX_JSON_DEPTH);
    return this.parsed;
  }

  /** First value of an MQTT 5 user property. */
  userProperty(name: string): string | undefined {
    return this.properties.userProperties?.find((property: UserProperty) => property[0] === name)?.[1];
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

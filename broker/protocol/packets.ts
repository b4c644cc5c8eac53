/**
 * MQTT control packets as immutable objects, one shape for 3.1.1 and 5 (§3 of both specifications).
 * In virtual time these objects cross a simulated link as they are; on sockets the codec turns them into bytes.
 * Nobody may change a packet after handing it over: a fan-out shares one object among all receivers.
 */
export type ProtocolVersion = 4 | 5;
/** Quality of service: at most once, at least once, exactly once. */
export type QoS = 0 | 1 | 2;
/** An MQTT 5 user property; names may repeat and keep their order. */
export type UserProperty = readonly [name: string, value: string];

/** Application message properties of MQTT 5, shared by PUBLISH and Will. */
export interface MessageProperties {
  /** Remaining lifetime in seconds. */
  readonly messageExpiryS?: number;
  readonly payloadFormat?: 0 | 1;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly userProperties?: readonly UserProperty[];
}

/** What the server publishes when the client is lost [MQTT-3.1.2.5]. */
export interface Will extends MessageProperties {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Seconds between the loss of the connection and the will. */
  readonly delayS?: number;
}

/** CONNECT [MQTT-3.1]. */
export interface ConnectPacket {
  readonly type: "connect";
  /** 3 (MQTT 3.1), 4 (3.1.1) or 5; anything else is answered as unsupported. */
  readonly protocolVersion: number;
  readonly clientId: string;
  /** Clean Session in 3.1.1, Clean Start in 5. */
  readonly cleanStart: boolean;
  readonly keepAliveS: number;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly will?: Will;
  /** Absent means 0 in MQTT 5. */
  readonly sessionExpiryS?: number;
  readonly receiveMaximum?: number;
  readonly maximumPacketBytes?: number;
  readonly topicAliasMaximum?: number;
  readonly requestResponseInformation?: boolean;
  readonly requestProblemInformation?: boolean;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly userProperties?: readonly UserProperty[];
}

/** CONNACK [MQTT-3.2]. */
export interface ConnackPacket {
  readonly type: "connack";
  readonly sessionPresent: boolean;
  /** MQTT 5 reason code; for 3.1.1 the codec translates to return codes 0-5. */
  readonly reasonCode: number;
  readonly sessionExpiryS?: number;
  readonly receiveMaximum?: number;
  readonly maximumQos?: 0 | 1;
  readonly retainAvailable?: boolean;
  readonly maximumPacketBytes?: number;
  readonly assignedClientId?: string;
  readonly topicAliasMaximum?: number;
  readonly reasonString?: string;
  readonly wildcardSubscriptionAvailable?: boolean;
  readonly subscriptionIdentifiersAvailable?: boolean;
  readonly sharedSubscriptionAvailable?: boolean;
  readonly serverKeepAliveS?: number;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly userProperties?: readonly UserProperty[];
}

/** PUBLISH [MQTT-3.3]. */
export interface PublishPacket extends MessageProperties {
  readonly type: "publish";
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Present when qos > 0. */
  readonly packetId?: number;
  readonly topicAlias?: number;
  readonly subscriptionIds?: readonly number[];
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP share one shape (§3.4 - §3.7). */
export interface AcknowledgePacket {
  readonly type: "puback" | "pubrec" | "pubrel" | "pubcomp";
  readonly packetId: number;
  readonly reasonCode: number;
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** One filter of a SUBSCRIBE with its options. */
export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: 0 | 1 | 2;
}

/** SUBSCRIBE [MQTT-3.8]. */
export interface SubscribePacket {
  readonly type: "subscribe";
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly subscriptionId?: number;
  readonly userProperties?: readonly UserProperty[];
}

/** SUBACK: one reason code for each requested filter, in their order [MQTT-3.9]. */
export interface SubackPacket {
  readonly type: "suback";
  readonly packetId: number;
  /** One per requested filter, in order. */
  readonly reasonCodes: readonly number[];
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** UNSUBSCRIBE [MQTT-3.10]. */
export interface UnsubscribePacket {
  readonly type: "unsubscribe";
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly userProperties?: readonly UserProperty[];
}

/** UNSUBACK [MQTT-3.11]. */
export interface UnsubackPacket {
  readonly type: "unsuback";
  readonly packetId: number;
  /** One per filter; empty in 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** PINGREQ [MQTT-3.12]. */
export interface PingreqPacket {
  readonly type: "pingreq";
}

/** PINGRESP [MQTT-3.13]. */
export interface PingrespPacket {
  readonly type: "pingresp";
}

/** DISCONNECT [MQTT-3.14]; before MQTT 5 only clients send it, without a reason code. */
export interface DisconnectPacket {
  readonly type: "disconnect";
  readonly reasonCode: number;
  readonly sessionExpiryS?: number;
  readonly reasonString?: string;
  readonly serverReference?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** AUTH [MQTT-3.15], MQTT 5 only. */
export interface AuthPacket {
  readonly type: "auth";
  readonly reasonCode: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** Any control packet, told apart by `type`. */
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AcknowledgePacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

/** The one PINGREQ: it carries nothing. */
export const PINGREQ: PingreqPacket = Object.freeze({ type: "pingreq" });
/** The one PINGRESP: it carries nothing. */
export const PINGRESP: PingrespPacket = Object.freeze({ type: "pingresp" });

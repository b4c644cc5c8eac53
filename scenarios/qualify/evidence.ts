import type { JsonValue } from "fleetrig/kernel";
import type { QoS } from "fleetrig/protocol";
import type { ClientHello } from "./endpoint/client-hello.js";

/**
 * What a case is judged on: everything that crossed the endpoint while it ran, with times. It is plain data, so a report holds it
 * and a judge can be asked again.
 */
export interface CaseEvidence {
  /** In the order in which they began; numbers are their places. */
  readonly connections: readonly ConnectionNote[];
  /** Both directions, in order. */
  readonly packets: readonly PacketNote[];
  /** Packets beyond what is kept. */
  readonly droppedPackets: number;
  readonly handshakes: readonly HandshakeNote[];
  /** What services say of the device: `shadow`, `job`. */
  readonly outcomes: Readonly<Record<string, JsonValue>>;
  readonly startedUs: number;
  /** When the evidence is looked at. */
  readonly nowUs: number;
  /** Nothing more will come: the time is up. */
  readonly isOver: boolean;
}

/** One MQTT connection of the device. */
export interface ConnectionNote {
  /** When TCP was there, which is before any TLS handshake. */
  readonly openedUs: number;
  readonly closedUs?: number;
  /** Who ended it. */
  readonly closedBy?: "device" | "endpoint";
}

/** A packet as far as judges care. */
export interface PacketNote {
  readonly atUs: number;
  readonly connection: number;
  readonly from: "device" | "endpoint";
  /** Of MQTT: `connect`, `publish`. */
  readonly type: string;
  readonly bytes: number;
  /** The endpoint kept it to itself: the other side never got it. */
  readonly isWithheld?: boolean;
  readonly packetId?: number;
  readonly reasonCode?: number;
  readonly reasonCodes?: readonly number[];
  readonly sessionPresent?: boolean;
  readonly connect?: ConnectNote;
  readonly publish?: PublishNote;
  readonly filters?: readonly { readonly filter: string; readonly qos: QoS }[];
}

export interface ConnectNote {
  /** 4 is MQTT 3.1.1. */
  readonly protocolVersion: number;
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly keepAliveS: number;
  readonly sessionExpiryS: number;
  /** Undefined: the device sets no limit. */
  readonly maximumPacketBytes?: number;
}

export interface PublishNote {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly payloadBytes: number;
  /** The beginning of the payload as text. */
  readonly payload: string;
  /** Names and values. */
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

/** One TCP connection to the TLS door. */
export interface HandshakeNote {
  readonly atUs: number;
  /** Undefined until it came whole; a text says why it cannot be read. */
  readonly hello?: ClientHello | string;
  readonly outcome: "open" | "completed" | "refused" | "closed";
  /** When the handshake was over. */
  readonly endedUs?: number;
  /** Alert or error, where it was refused. */
  readonly reason?: string;
  readonly protocol?: string;
  readonly cipher?: string;
  /** Of the certificate that the endpoint showed, DER. */
  readonly certificateBytes: number;
  /** Longest record with application data that went to the device, as its plaintext. */
  readonly largestRecordBytes: number;
  /** When the device or the endpoint ended the connection. */
  readonly closedUs?: number;
}

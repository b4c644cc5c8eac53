import { createHash } from "node:crypto";
import { type AccessSettings, type Cloud, parseCertificate } from "fleetrig/broker";
import type {
  ConnectPacket,
  LinkPeer,
  Packet,
  PacketLink,
  PacketReceiver,
  AcknowledgePacket,
  PublishPacket,
  QoS,
} from "fleetrig/protocol";
import { type ApiWorld, startApi } from "../api/api-client.js";

export const PREFIX = "arn:aws:iot:us-east-1:000000000000";

/** A statement: effect, actions, resources without the ARN's beginning; conditions. */
export type Statement = readonly [
  effect: "Allow" | "Deny",
  actions: string | readonly string[],
  resources: string | readonly string[],
  conditions?: unknown,
];

export function policyText(...statements: readonly Statement[]): string {
  const Statement = statements.map(([Effect, actions, resources, Condition]) => ({
    Effect,
    Action: [actions].flat().map((action) => `iot:${action}`),
    Resource: [resources].flat().map((resource) => (resource === "*" ? "*" : `${PREFIX}:${resource}`)),
    ...(Condition !== undefined && { Condition }),
  }));
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

/** What a TLS listener knows of a client with this certificate. */
export function peerWith(certificatePem: string, extras: Partial<LinkPeer> = {}): LinkPeer {
  const certificate = parseCertificate(certificatePem);
  return {
    transport: "tls",
    localPort: 8883,
    serverName: "localhost",
    isVerified: true,
    certificate: {
      raw: certificate.der,
      fingerprint256: createHash("sha256").update(certificate.der).digest("hex"),
      serialNumber: certificate.serialNumber,
      subject: certificate.subject.text,
      issuer: certificate.issuer.text,
      validFromMs: certificate.validFromMs,
      validToMs: certificate.validToMs,
    },
    ...extras,
  };
}

export interface DeviceExtras extends Partial<ConnectPacket> {
  readonly peer?: LinkPeer;
  readonly remoteAddress?: string;
}

/** An MQTT client on a link in memory. It acknowledges what it gets. */
export class Device implements PacketLink {
  readonly packets: Packet[] = [];
  readonly bufferedBytes = 0;
  readonly remoteAddress: string;
  readonly peer: LinkPeer | undefined;
  isOpen = true;
  private readonly receiver: PacketReceiver;
  private packetId = 0;

  constructor({ acceptor }: Cloud, clientId: string, extras: DeviceExtras = {}) {
    const { peer, remoteAddress = "127.0.0.1:50000", ...connect } = extras;
    this.peer = peer;
    this.remoteAddress = remoteAddress;
    this.receiver = acceptor.accept(this);
    const defaults = { protocolVersion: 5, cleanStart: true, keepAliveS: 60 };
    this.say({ type: "connect", clientId, ...defaults, ...connect });
  }

  send(packet: Packet): void {
    this.packets.push(packet);
    if (packet.type === "publish" && packet.qos === 1)
      this.say({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
  }

  close(): void {
    this.isOpen = false;
  }

  destroy(): void {
    this.isOpen = false;
  }

  /** Of CONNACK; undefined when none came. */
  get connack(): number | undefined {
    return this.reasonOf("connack");
  }

  /** Of DISCONNECT. */
  get goodbye(): number | undefined {
    return this.reasonOf("disconnect");
  }

  subscribe(filter: string): readonly number[] | undefined {
    const packetId = this.nextId();
    this.say({ type: "subscribe", packetId, subscriptions: [{ filter, qos: 1 }] });
    const suback = this.packets.findLast((packet) => packet.type === "suback");
    return suback?.packetId === packetId ? suback.reasonCodes : undefined;
  }

  /** @returns the reason code of PUBACK; undefined when none came. */
  publish(topic: string, extras: { readonly qos?: QoS; readonly retain?: boolean } = {}): number | undefined {
    const { qos = 1, retain = false } = extras;
    const packetId = this.nextId();
    const payload = Buffer.from("x");
    this.say({ type: "publish", topic, payload, qos, retain, dup: false, ...(qos > 0 && { packetId }) });
    const ack = this.packets.findLast((packet): packet is AcknowledgePacket => packet.type === "puback");
    return ack?.packetId === packetId ? ack.reasonCode : undefined;
  }

  /** Topics of what came, oldest first. */
  get received(): readonly string[] {
    return this.packets
      .filter((packet): packet is PublishPacket => packet.type === "publish")
      .map(({ topic }) => topic);
  }

  /** The network is gone. */
  lose(): void {
    this.isOpen = false;
    this.receiver.closed("reset");
  }

  disconnect(): void {
    this.say({ type: "disconnect", reasonCode: 0 });
  }

  private say(packet: Packet): void {
    this.receiver.received(packet, 10);
  }

  private nextId(): number {
    this.packetId += 1;
    return this.packetId;
  }

  private reasonOf(type: "connack" | "disconnect"): number | undefined {
    const packet = this.packets.find((candidate) => candidate.type === type);
    return packet !== undefined && "reasonCode" in packet ? packet.reasonCode : undefined;
  }
}

/** A certificate as the API made it. */
export interface DeviceCertificate {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly certificatePem: string;
}

export type AccessWorld = ApiWorld & {
  /** An ACTIVE certificate, with a policy of these statements if there are any. */
  certificate(...statements: readonly Statement[]): Promise<DeviceCertificate>;
  policy(policyName: string, ...statements: readonly Statement[]): Promise<void>;
  /** Makes this the version in force. */
  change(policyName: string, ...statements: readonly Statement[]): Promise<void>;
  attach(policyName: string, target: string): Promise<void>;
  device(clientId: string, certificate: DeviceCertificate, extras?: DeviceExtras): Device;
};

/** A cloud in virtual time that enforces policies. */
export function startAccess(
  settings: Partial<AccessSettings> = {},
  options: Parameters<typeof startApi>[0] = {},
): AccessWorld {
  const world = startApi({ access: settings, ...options });
  let policies = 0;
  const policy = (policyName: string, ...statements: readonly Statement[]): Promise<void> =>
    world.ok("POST", `/policies/${policyName}`, { policyDocument: policyText(...statements) });
  const attach = (policyName: string, target: string): Promise<void> =>
    world.ok("PUT", `/target-policies/${policyName}`, { target });
  return {
    ...world,
    policy,
    attach,
    change: (policyName, ...statements) =>
      world.ok("POST", `/policies/${policyName}/version?setAsDefault=true`, {
        policyDocument: policyText(...statements),
      }),
    certificate: async (...statements) => {
      const made = await world.ok("POST", "/keys-and-certificate?setAsActive=true");
      if (statements.length > 0) {
        const policyName = `own-${(policies += 1)}`;
        await policy(policyName, ...statements);
        await attach(policyName, made.certificateArn);
      }
      return made;
    },
    device: (clientId, { certificatePem }, extras = {}) =>
      new Device(world.cloud, clientId, { peer: peerWith(certificatePem), ...extras }),
  };
}

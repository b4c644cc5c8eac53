import type { Clock, JsonValue } from "fleetrig/kernel";
import {
  jobsTopicPrefix,
  type Packet,
  type PacketAcceptor,
  type PacketLink,
  type PacketReceiver,
  PINGRESP,
  type PublishPacket,
  shadowTopicPrefix,
} from "fleetrig/protocol";
import type { DeviceSignalEvent } from "fleetrig/sim";

/** Something a device or a board has done, without what differs from run to run. */
export interface Deed {
  /** Within one lane order counts. */
  readonly lane: "device" | "mqtt" | "telemetry";
  readonly text: string;
  /** Since its step began. */
  readonly atMs: number;
  readonly clockMs: number;
}

/** The broker at the end of a path: says what the path wants and nothing else, and writes down what it hears. */
export class PathBroker implements PacketAcceptor {
  readonly deeds: Deed[] = [];
  private link: PacketLink | undefined;
  private readonly sessions = new Set<string>();
  private readonly subscribed = new Set<string>();

  constructor(private readonly clock: Clock) {}

  accept(link: PacketLink): PacketReceiver {
    this.link = link;
    return {
      received: (packet) => this.take(link, packet),
      closed: () => {
        if (this.link === link) this.link = undefined;
      },
    };
  }

  /** Sends the device what makes this event of its machine. */
  deliver(thing: string, event: DeviceSignalEvent): void {
    const message = messageOf(thing, event);
    if (message === undefined || this.link === undefined || !this.isSubscribed(message.topic)) return;
    this.link.send({
      type: "publish",
      topic: message.topic,
      payload: Buffer.from(JSON.stringify(message.body)),
      qos: 0,
      retain: false,
      dup: false,
    });
  }

  private take(link: PacketLink, packet: Packet): void {
    switch (packet.type) {
      case "connect": {
        const sessionPresent = !packet.cleanStart && this.sessions.has(packet.clientId);
        this.sessions.add(packet.clientId);
        if (!sessionPresent) this.subscribed.clear();
        link.send({ type: "connack", sessionPresent, reasonCode: 0 });
        return;
      }
      case "subscribe": {
        const filters = packet.subscriptions.map(({ filter }) => filter);
        for (const filter of filters) {
          this.subscribed.add(filter);
          this.note("mqtt", `subscribe ${filter}`);
        }
        link.send({ type: "suback", packetId: packet.packetId, reasonCodes: filters.map(() => 1) });
        return;
      }
      case "publish":
        this.published(packet);
        if (packet.qos === 1) link.send({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
        return;
      case "pingreq":
        return link.send(PINGRESP);
      case "disconnect":
        return this.note("mqtt", "disconnect");
      default:
    }
  }

  private published({ topic, payload, qos, dup }: PublishPacket): void {
    const text = Buffer.from(payload).toString();
    const body = text === "" ? "" : JSON.stringify(sorted(JSON.parse(text) as JsonValue));
    const again = dup ? " again" : "";
    this.note(topic.startsWith("$") ? "mqtt" : "telemetry", `${topic} ${qos}${again} ${body}`);
  }

  private isSubscribed(topic: string): boolean {
    return (
      this.subscribed.has(topic) ||
      this.subscribed.has(topic.replace(/\/jobs\/[^/]+\/update/, "/jobs/+/update"))
    );
  }

  private note(lane: Deed["lane"], text: string): void {
    this.deeds.push({ lane, text, atMs: 0, clockMs: this.clock.nowUs() / 1_000 });
  }
}

function messageOf(thing: string, event: DeviceSignalEvent): { topic: string; body: JsonValue } | undefined {
  const jobs = jobsTopicPrefix(thing);
  switch (event.type) {
    case "JOB": {
      const { jobId, document, executionNumber, versionNumber } = event;
      const execution = {
        jobId,
        status: "IN_PROGRESS",
        jobDocument: document,
        executionNumber,
        versionNumber,
      };
      return { topic: `${jobs}/start-next/accepted`, body: { execution, timestamp: 1 } };
    }
    case "JOB_AVAILABLE":
      return {
        topic: `${jobs}/notify-next`,
        body: { execution: { jobId: "any", status: "QUEUED" }, timestamp: 1 },
      };
    case "JOB_REJECTED": {
      const { jobId, code } = event;
      const request = jobId === "" ? "start-next" : `${jobId}/update`;
      return { topic: `${jobs}/${request}/rejected`, body: { code, message: "no", timestamp: 1 } };
    }
    case "DELTA": {
      const { shadowName, state, version } = event;
      const shadow = shadowTopicPrefix(thing, shadowName);
      // Every other version comes as the answer to a get.
      return version % 2 === 1
        ? { topic: `${shadow}/update/delta`, body: { version, state, metadata: {}, timestamp: 1 } }
        : {
            topic: `${shadow}/get/accepted`,
            body: { version, state: { delta: state, desired: state }, metadata: {} },
          };
    }
    default:
      return undefined;
  }
}

/** Keys in one order at every depth. */
export function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

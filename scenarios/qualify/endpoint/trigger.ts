import { topicMatches } from "fleetrig/protocol";
import type { PacketNote } from "../evidence.js";
import type { CaseParameters } from "../parameters.js";
import type { Line, Stage } from "./case-script.js";

/** Topic, fixed header, packet identifier and properties of what the test publishes. */
const HEADER_BYTES = 64;
const BYTES_PER_KB = 1_024;
/** AWS: the largest message. */
const PAYLOAD_BYTES_MAX = 128 * BYTES_PER_KB;

/** A filter that the device was granted, with its QoS. */
interface Granted {
  readonly filter: string;
  readonly qos: number;
}

/**
 * Finds out where a device listens. What it subscribes to for itself serves better than the topics of services, on which a test's
 * message means nothing.
 */
export class TriggerFinder {
  private readonly asked = new Map<string, PacketNote>();

  constructor(private readonly parameters: CaseParameters) {}

  /** @returns the topic, once a SUBACK grants QoS 1 on a filter that fits. */
  found(note: PacketNote, line: Line): string | undefined {
    const key = `${line.number}/${note.packetId}`;
    if (note.from === "device" && note.type === "subscribe") this.asked.set(key, note);
    if (note.from !== "endpoint" || note.type !== "suback" || note.isWithheld === true) return undefined;
    const request = this.asked.get(key);
    const granted = (request?.filters ?? []).flatMap(({ filter }, index): Granted[] => {
      const qos = note.reasonCodes?.[index] ?? 0x80;
      return qos === 1 || qos === 2 ? [{ filter, qos }] : [];
    });
    const wanted = this.parameters.TRIGGER_TOPIC;
    if (wanted !== undefined)
      return granted.some(({ filter }) => topicMatches(filter, wanted, "aws")) ? wanted : undefined;
    const best = granted.find(({ filter }) => !filter.startsWith("$")) ?? granted[0];
    return best && topicOf(best.filter);
  }
}

/** The first topic that comes to mind for a filter. */
const topicOf = (filter: string): string =>
  filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? "fleetrig" : level))
    .join("/");

/** Bytes of payload that the test may send: what it was told, as far as the device takes it. */
export function payloadBytesFor(line: Line, topic: string, wantedKb: number): number {
  const room = line.maximumPacketBytes - HEADER_BYTES - Buffer.byteLength(topic);
  return Math.max(0, Math.min(wantedKb * BYTES_PER_KB, PAYLOAD_BYTES_MAX, room));
}

/** JSON of that many bytes, so that devices that parse what they get find something. */
export function filler(bytes: number): string {
  const [open, close] = ['{"fleetrig":"', '"}'];
  const room = bytes - open.length - close.length;
  return room < 0 ? " ".repeat(Math.floor(bytes)) : `${open}${"x".repeat(Math.floor(room))}${close}`;
}

/** Publishes to the device with QoS 1. */
export function publishTo(stage: Stage, topic: string, payload: string): void {
  stage.cloud.broker.publish({ topic, payload, qos: 1 });
}

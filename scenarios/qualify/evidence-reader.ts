import { topicMatches } from "fleetrig/protocol";
import type { CaseEvidence, ConnectNote, HandshakeNote, PacketNote, PublishNote } from "./evidence.js";

/** Questions that several judges ask of the evidence. */
export type ConnectPacketNote = PacketNote & { readonly connect: ConnectNote };
export type PublishPacketNote = PacketNote & { readonly publish: PublishNote };

const isConnect = (note: PacketNote): note is ConnectPacketNote => note.connect !== undefined;
const isPublish = (note: PacketNote): note is PublishPacketNote => note.publish !== undefined;

/** CONNECTs of the device, answered or not. */
export const connectsOf = ({ packets }: CaseEvidence): readonly ConnectPacketNote[] =>
  packets.filter(isConnect);

export const fromDevice = ({ packets }: CaseEvidence, type: string): readonly PacketNote[] =>
  packets.filter((note) => note.from === "device" && note.type === type);

/** What the endpoint sent and the device got. */
export const fromEndpoint = ({ packets }: CaseEvidence, type: string): readonly PacketNote[] =>
  packets.filter((note) => note.from === "endpoint" && note.type === type && note.isWithheld !== true);

export const publishesOf = (evidence: CaseEvidence): readonly PublishPacketNote[] =>
  fromDevice(evidence, "publish").filter(isPublish);

/** Messages to the device. */
export const deliveriesTo = (evidence: CaseEvidence): readonly PublishPacketNote[] =>
  fromEndpoint(evidence, "publish").filter(isPublish);

/** CONNACKs that let the device in. */
export const acceptancesOf = (evidence: CaseEvidence): readonly PacketNote[] =>
  fromEndpoint(evidence, "connack").filter(({ reasonCode }) => reasonCode === 0);

export const onConnection = <T extends PacketNote>(notes: readonly T[], connection: number): readonly T[] =>
  notes.filter((note) => note.connection === connection);

/** Why a case that needs a connected device cannot be judged. */
export function absence(evidence: CaseEvidence): string {
  const handshakes = evidence.handshakes.filter(({ outcome }) => outcome !== "completed");
  const last = handshakes.at(-1);
  if (connectsOf(evidence).length > 0)
    return "The device sent CONNECT and never came to the point of this case.";
  if (last !== undefined)
    return `The device did not get through its TLS handshake${last.reason === undefined ? "" : `: ${last.reason}`}.`;
  return "Nothing connected.";
}

/** Milliseconds with one decimal. */
export const toMs = (us: number): number => Math.round(us / 100) / 10;

export const isMatch = (wanted: string | undefined, topic: string): boolean =>
  wanted === undefined || topicMatches(wanted, topic, "aws");

export const completedHandshakes = ({ handshakes }: CaseEvidence): readonly HandshakeNote[] =>
  handshakes.filter(({ outcome }) => outcome === "completed");

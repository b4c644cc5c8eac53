import { type Packet, type UserProperty, wireBytes } from "fleetrig/protocol";

/** What an MQTT 5 client said in CONNECT about the packets it wants. */
interface PacketWishes {
  /** Maximum Packet Size. */
  readonly packetBytesMax: number;
  /** Request Problem Information: reasons in words, and user properties. */
  readonly wantsProblemInformation: boolean;
}

/** [MQTT-3.1.2-29] these may carry reasons and user properties even for a client that does not want them. */
const ALWAYS_EXPLAINED: ReadonlySet<Packet["type"]> = new Set(["publish", "connack", "disconnect"]);

type Explained = Packet & {
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
};

/**
 * The packet in the form in which this client takes it: without user properties and reason string where they are
 * unwanted or make it too large [MQTT-3.2.2-19, 3.2.2-20 and their like for other packets].
 * @returns undefined when even the rest is larger than the client takes [MQTT-3.1.2-24].
 */
export function fittingPacket(packet: Packet, wishes: PacketWishes): Packet | undefined {
  let fitting: Packet = packet;
  if (!wishes.wantsProblemInformation && !ALWAYS_EXPLAINED.has(packet.type))
    fitting = without(without(fitting, "userProperties"), "reasonString");
  const isTooLarge = (): boolean => wireBytes(fitting, 5) > wishes.packetBytesMax;
  if (!isTooLarge()) return fitting;
  fitting = without(fitting, "userProperties");
  if (isTooLarge()) fitting = without(fitting, "reasonString");
  return isTooLarge() ? undefined : fitting;
}

function without(packet: Explained, field: "reasonString" | "userProperties"): Packet {
  if (packet[field] === undefined) return packet;
  const { [field]: _, ...rest } = packet;
  return rest;
}

import type { Random } from "fleetrig/kernel";
import type { Packet, PublishPacket, SubscriptionRequest, Will } from "fleetrig/protocol";
import { SoakSocket } from "./soak-socket.js";

const PLACES = 500;
const SHORT_MS = 100;
const LONG_MS = 3_000;

/**
 * A client nobody has seen before and nobody will see again: it subscribes, leaves something behind (retained
 * messages, a will, a session) and goes, with or without a word.
 */
export class SoakVisitor {
  private readonly socket: SoakSocket;

  constructor(
    private readonly random: Random,
    port: number,
    private readonly ordinal: number,
  ) {
    const version = random.chance(0.5) ? 5 : 4;
    this.socket = new SoakSocket({
      port,
      clientId: `visitor-${ordinal}`,
      version,
      sessionS: version === 5 && random.chance(0.4) ? 1 + random.below(20) : 0,
      ...(random.chance(0.5) && { will: this.will(version === 5) }),
      opened: () => this.visit(version === 5),
      received: (packet) => this.take(packet),
      ended: () => undefined,
    });
  }

  private will(isVersion5: boolean): Will {
    const { random } = this;
    return {
      topic: `visit/${random.below(PLACES)}/gone`,
      payload: Buffer.alloc(random.below(200)),
      qos: 1,
      retain: random.chance(0.3),
      ...(isVersion5 && { delayS: random.below(5), messageExpiryS: 30 }),
    };
  }

  private visit(isVersion5: boolean): void {
    const { random, socket, ordinal } = this;
    const subscriptions = this.subscriptions(isVersion5);
    socket.send({ type: "subscribe", packetId: 1, subscriptions });
    const place = random.below(PLACES);
    const size = random.chance(0.3) ? 0 : 1 + random.below(500);
    socket.send(retained(`visit/${place}/state`, size));
    if (isVersion5) socket.send({ ...retained(`visit/once/${ordinal}`, 64), messageExpiryS: 20 });
    if (random.chance(0.5)) {
      const filters = subscriptions.slice(0, 1).map(({ filter }) => filter);
      socket.send({ type: "unsubscribe", packetId: 2, filters });
    }
    const how = random.chance(0.5);
    setTimeout(() => (how ? socket.cut() : socket.leave()), random.between(SHORT_MS, LONG_MS));
  }

  private subscriptions(isVersion5: boolean): SubscriptionRequest[] {
    const { random, ordinal } = this;
    const filters = [
      `visit/${random.below(PLACES)}/#`,
      `visit/${random.below(PLACES)}/+`,
      `visit/own/${ordinal}/+/of`,
      `visit/own/${ordinal}`,
    ];
    if (isVersion5)
      filters.push(`$share/group-${random.below(20)}/visit/+/gone`, `$share/group-${ordinal}/visit/1/gone`);
    return filters.map((filter) => ({ filter, qos: random.chance(0.5) ? 1 : 0 }));
  }

  /** Half of what comes is never acknowledged. */
  private take(packet: Packet): void {
    if (packet.type === "publish" && packet.qos === 1 && packet.packetId! % 2 === 0)
      this.socket.send({ type: "puback", packetId: packet.packetId!, reasonCode: 0 });
  }
}

const retained = (topic: string, bytes: number): PublishPacket => ({
  type: "publish",
  topic,
  payload: Buffer.alloc(bytes, 1),
  qos: 0,
  retain: true,
  dup: false,
});

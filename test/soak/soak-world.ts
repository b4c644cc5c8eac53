import { type AuthenticationOutcome, type AuthenticationStep, BrokerServer } from "fleetrig/broker";
import { type Clock, createRandomSource, LANE, type Random, US_PER_S, VirtualTime } from "fleetrig/kernel";
import { type LinkHost, type ProtocolVersion, SocketLink, WriteBatch } from "fleetrig/protocol";
import { MemoryStream } from "./memory-stream.js";

/** So small that the soak reaches them. */
const LIMITS = {
  sessionExpiryS: 7_200,
  persistentSessionS: 3_600,
  queuedMessagesPerSession: 500,
  queuedBytesPerSession: 100_000,
  bufferedBytesPerConnection: 16_384,
  maxInflight: 20,
  receiveMaximum: 50,
  topicAliasMaximum: 16,
  outboundTopicAliases: 16,
};
const MAX_PACKET_BYTES = 1_048_576;
const BROKER_DELAY_US = 1_000;
const CLIENT_DELAY_US = 20_000;

/** A broker as programs embed it, over connections in memory, in virtual time. */
export class SoakWorld {
  readonly time = new VirtualTime();
  readonly server: BrokerServer;
  private readonly random;
  private readonly clientHosts: Readonly<Record<ProtocolVersion, LinkHost>>;
  private readonly brokerHost: LinkHost;
  private visitors = 0;

  constructor(seed: number) {
    this.random = createRandomSource(seed);
    this.server = new BrokerServer({
      time: this.time,
      random: this.random,
      limits: LIMITS,
      hooks: { authenticate },
      sysIntervalS: 60,
    });
    const batch = this.batch(LANE.services, BROKER_DELAY_US);
    this.brokerHost = { role: "server", batch, maxPacketBytes: MAX_PACKET_BYTES, linger: () => undefined };
    const client: LinkHost = {
      ...this.brokerHost,
      role: "client",
      batch: this.batch(LANE.observer, CLIENT_DELAY_US),
    };
    this.clientHosts = { 4: { ...client, version: 4 }, 5: { ...client, version: 5 } };
  }

  clockOf(ordinal: number): Clock {
    return this.time.lane(LANE.firstDevice + ordinal);
  }

  randomOf(ordinal: number): Random {
    return this.random.stream(`client/${ordinal}`);
  }

  /** A client id that was never used before. */
  newName(): string {
    this.visitors += 1;
    return `visitor-${this.visitors}`;
  }

  /** The client's end of a new connection to the broker, and the stream below it. */
  dial(version: ProtocolVersion): { readonly link: SocketLink; readonly stream: MemoryStream } {
    const [near, far] = MemoryStream.pair();
    const served = new SocketLink(this.brokerHost, { stream: far, remoteAddress: "memory" });
    served.attach(this.server.engine.accept(served));
    const link = new SocketLink(this.clientHosts[version], { stream: near, remoteAddress: "memory" });
    return { link, stream: near };
  }

  private batch(lane: number, delayUs: number): WriteBatch {
    const clock = this.time.lane(lane);
    return new WriteBatch((task) => clock.after(delayUs, task));
  }
}

/** One challenge, one answer. */
function authenticate({ step, isReauthentication }: AuthenticationStep): AuthenticationOutcome {
  if (step === 1 && !isReauthentication) return { challenge: Buffer.from("who?") };
  return { isAuthenticated: true };
}

/** Longer than what anybody leaves behind lives. */
export const AFTERMATH_US = 8_000 * US_PER_S;

import { type EventSink, LANE, type RunEvent, US_PER_S, VirtualTime } from "fleetrig/kernel";
import {
  ApplicationMessage,
  type MessageBus,
  type OutgoingMessage,
  ShadowService,
  type ShadowServiceOptions,
} from "fleetrig/broker";

export interface Sent {
  readonly topic: string;
  readonly body: Record<string, unknown>;
}

const PREFIX = "$aws/things/T/shadow/";

/** A shadow service on virtual time, with everything it says on record. Topics are shown without their prefix. */
export class ShadowBench {
  readonly time = new VirtualTime();
  readonly clock = this.time.lane(LANE.services);
  readonly sent: Sent[] = [];
  readonly events: RunEvent[] = [];
  readonly service: ShadowService;

  constructor(
    options: Partial<Omit<ShadowServiceOptions, "clock" | "events">> = {},
    hasSubscribers?: (topic: string) => boolean,
  ) {
    const bus: MessageBus = {
      publish: (message: OutgoingMessage) => this.record(message),
      sendDirect: () => false,
      ...(hasSubscribers && { hasSubscribers }),
    };
    const events: EventSink = { emit: (event) => this.events.push(event) };
    this.service = new ShadowService({ clock: this.clock, bus, events, ...options });
  }

  get nowS(): number {
    return Math.floor(this.clock.wallMs() / 1000);
  }

  advanceS(seconds: number): void {
    this.time.advance(seconds * US_PER_S);
  }

  /** Publishes a request as a client would and returns what the service sent because of it. */
  request(suffix: string, payload: unknown = "", fields: { readonly isWill?: boolean } = {}): Sent[] {
    const bytes =
      payload instanceof Uint8Array
        ? payload
        : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
    const first = this.sent.length;
    const message = {
      topic: `${PREFIX}${suffix}`,
      payload: bytes,
      qos: 1,
      retain: false,
      ...fields,
    } as const;
    this.service.handle(new ApplicationMessage(message, "client-1", this.clock.nowUs()));
    return this.sent.slice(first);
  }

  update(state: unknown, extra: object = {}): Sent[] {
    return this.request("update", { state, ...extra });
  }

  /** The body of `get/accepted`. */
  get(): Record<string, unknown> {
    return this.request("get")[0]!.body;
  }

  private record(message: OutgoingMessage): void {
    const topic = message.topic.startsWith(PREFIX) ? message.topic.slice(PREFIX.length) : message.topic;
    this.sent.push({ topic, body: JSON.parse(String(message.payload)) as Record<string, unknown> });
  }
}

/** Body of the message with this topic, undefined when it was not sent. */
export const bodyOf = (sent: readonly Sent[], topic: string): Record<string, unknown> | undefined =>
  sent.find((message) => message.topic === topic)?.body;

export const topicsOf = (sent: readonly Sent[]): string[] => sent.map((message) => message.topic);

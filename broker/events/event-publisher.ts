import type { Clock, JsonObject, Random, RandomSource } from "fleetrig/kernel";
import type { MessageBus } from "../message-bus.js";
import { uuidV4 } from "../uuid.js";
import type { EventConfigurations, EventType } from "./event-configurations.js";

/** One event as its service tells it. */
export interface CloudEvent {
  /** The configuration that switches it on. */
  readonly type: EventType;
  /** Below `$aws/events/`. */
  readonly topic: string;
  /** Such as `THING_EVENT`. */
  readonly eventType: string;
  /** Such as `CREATED`. */
  readonly operation: string;
  /** Built only if the event is on and somebody would get it. */
  readonly body: () => JsonObject;
}

export interface EventPublisherOptions {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly configurations: EventConfigurations;
}

/** Publishes the events that are switched on, once each and in the order of the changes; AWS promises neither. */
export class EventPublisher {
  private readonly ids: Random;

  constructor(private readonly options: EventPublisherOptions) {
    const { clock, random } = options;
    // Another stream for every start, so that ids do not repeat after a restart with the same seed.
    this.ids = random.stream(`events/${clock.wallMs()}`);
  }

  publish({ type, topic, eventType, operation, body }: CloudEvent): void {
    const { bus, clock, configurations } = this.options;
    if (!configurations.isEnabled(type)) return;
    const fullTopic = `$aws/events/${topic}`;
    if (bus.hasSubscribers?.(fullTopic) === false) return;
    const event: JsonObject = {
      eventType,
      eventId: uuidV4(this.ids),
      timestamp: clock.wallMs(),
      operation,
      ...body(),
    };
    bus.publish({ topic: fullTopic, payload: JSON.stringify(event), qos: 1 });
  }
}

import { createRandomSource, type Random } from "fleetrig/kernel";

/**
 * A script is what a few clients do one after the other, drawn from `seed/index`. Clients are *slots*: a slot has one
 * client id and at most one connection, so that connecting twice is a take-over. Topics below `n/` are for ordinary
 * subscriptions, those below `q/` for shared ones: who of a group gets a message is the server's choice.
 */
export interface Connect {
  readonly version: 4 | 5;
  readonly clean: boolean;
  readonly will?: Will;
  /** MQTT 5 properties of CONNECT, as the foreign codec names them. */
  readonly properties?: Readonly<Record<string, number>>;
}

interface Will {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface Filter {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly nl: boolean;
  readonly rap: boolean;
  readonly rh: 0 | 1 | 2;
}

export interface Message {
  readonly topic: string;
  /** A number that no other message of the script has, or nothing, which clears a retained message. */
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export type Step =
  | { readonly kind: "connect"; readonly slot: number; readonly connect: Connect }
  | {
      readonly kind: "subscribe";
      readonly slot: number;
      readonly filters: readonly Filter[];
      readonly identifier?: number;
    }
  | { readonly kind: "unsubscribe"; readonly slot: number; readonly filters: readonly string[] }
  | { readonly kind: "publish"; readonly slot: number; readonly messages: readonly Message[] }
  | { readonly kind: "disconnect"; readonly slot: number; readonly reason: 0 | 4; readonly expiryS?: number }
  /** The connection breaks without a DISCONNECT. */
  | { readonly kind: "drop"; readonly slot: number }
  /** Messages are not acknowledged from here on, until the slot connects again. */
  | { readonly kind: "mute"; readonly slot: number };

export interface Script {
  /** First level of all its topics. */
  readonly prefix: string;
  readonly slots: number;
  readonly steps: readonly Step[];
}

const TOPICS = ["a", "b", "a/b", "a/b/c", "/", "a//b"];
const FILTERS = ["a", "b", "a/b", "+", "#", "a/+", "a/#", "+/b", "+/+", "a/b/c", "b/#", "+/+/#", "/", "a//b"];
const SHARED_TOPICS = ["a", "b"];
const SHARED_FILTERS = ["a", "+", "#", "b"];
const PROPERTIES: readonly Readonly<Record<string, unknown>>[] = [
  { contentType: "text/plain" },
  { responseTopic: "answers/here", correlationData: Buffer.from("c1") },
  { userProperties: { k: ["v", "w"], l: "x" } },
  { payloadFormatIndicator: true },
  { messageExpiryInterval: 3_600 },
];

export const isSharedTopic = (topic: string): boolean => topic.split("/")[1] === "q";

/** Draws script `index` of a seed. */
export function drawScript(seed: number, index: number): Script {
  const random = createRandomSource(seed).stream(`script/${index}`);
  const author = new Author(random, `d${seed}-${index}`, 2 + random.below(4));
  const length = 10 + random.below(40);
  const steps = Array.from({ length }, () => author.next());
  return { prefix: author.prefix, slots: author.slots, steps };
}

class Author {
  private readonly versions: (4 | 5)[];
  private readonly isConnected: boolean[];
  private serial = 0;

  constructor(
    private readonly random: Random,
    readonly prefix: string,
    readonly slots: number,
  ) {
    this.versions = Array.from({ length: slots }, () => (random.chance(0.35) ? 4 : 5));
    this.isConnected = Array.from({ length: slots }, () => false);
  }

  next(): Step {
    const { random } = this;
    const slot = random.below(this.slots);
    if (!this.isConnected[slot]) return this.connect(slot);
    const kind = random.fraction();
    if (kind < 0.5) return this.publish(slot);
    if (kind < 0.75) return this.subscribe(slot);
    if (kind < 0.82) return this.unsubscribe(slot);
    if (kind < 0.86) return this.connect(slot);
    if (kind < 0.88) return { kind: "mute", slot };
    this.isConnected[slot] = false;
    return kind < 0.94 ? { kind: "drop", slot } : this.disconnect(slot);
  }

  private connect(slot: number): Step {
    const { random } = this;
    this.isConnected[slot] = true;
    if (random.chance(0.05)) this.versions[slot] = random.chance(0.5) ? 4 : 5;
    const version = this.versions[slot]!;
    const connect: Connect = {
      version,
      clean: random.chance(0.35),
      ...(random.chance(0.35) && { will: this.will(version) }),
      ...(version === 5 && { properties: this.connectProperties() }),
    };
    return { kind: "connect", slot, connect };
  }

  private connectProperties(): Record<string, number> {
    const { random } = this;
    return {
      ...(random.chance(0.6) && { sessionExpiryInterval: random.pick([0, 3_600, 4_294_967_295]) }),
      ...(random.chance(0.15) && { receiveMaximum: random.pick([1, 2, 10]) }),
      ...(random.chance(0.15) && { topicAliasMaximum: random.pick([1, 3]) }),
    };
  }

  private will(version: 4 | 5): Will {
    const { random } = this;
    const message = this.message(version);
    return isSharedTopic(message.topic) || random.chance(0.1)
      ? message
      : { ...message, retain: random.chance(0.2) };
  }

  private message(version: 4 | 5): Message {
    const { random, prefix } = this;
    const isShared = random.chance(0.15);
    const topic = isShared
      ? `${prefix}/q/${random.pick(SHARED_TOPICS)}`
      : `${prefix}/n/${random.pick(TOPICS)}`;
    const retain = !isShared && random.chance(0.25);
    this.serial += 1;
    return {
      topic,
      payload: retain && random.chance(0.2) ? "" : String(this.serial),
      qos: random.below(3) as 0 | 1 | 2,
      retain,
      ...(version === 5 && random.chance(0.2) && { properties: random.pick(PROPERTIES) }),
    };
  }

  /**
   * Messages of one QoS, or such of different ones that nothing is retained of: QoS 2 may be handed on at PUBLISH or at
   * PUBREL (§4.3.3), and who overtakes whom decides what stays retained.
   */
  private publish(slot: number): Step {
    const { random } = this;
    const count = random.chance(0.7) ? 1 : 2 + random.below(4);
    const drawn = Array.from({ length: count }, () => this.message(this.versions[slot]!));
    const { qos } = drawn[0]!;
    const isMixed = drawn.every(({ retain }) => !retain);
    return { kind: "publish", slot, messages: isMixed ? drawn : drawn.map((one) => ({ ...one, qos })) };
  }

  private subscribe(slot: number): Step {
    const { random } = this;
    const isV5 = this.versions[slot] === 5;
    const count = random.chance(0.7) ? 1 : 2 + random.below(3);
    const filters = Array.from({ length: count }, () => this.filter(isV5));
    const identifier = isV5 && random.chance(0.4) ? { identifier: 1 + random.below(200) } : {};
    return { kind: "subscribe", slot, filters, ...identifier };
  }

  private filter(isV5: boolean): Filter {
    const { random } = this;
    const isShared = random.chance(0.15);
    return {
      topic: this.filterText(isShared),
      qos: random.below(3) as 0 | 1 | 2,
      nl: isV5 && !isShared && random.chance(0.25),
      rap: isV5 && random.chance(0.3),
      rh: isV5 ? (random.below(3) as 0 | 1 | 2) : 0,
    };
  }

  private filterText(isShared: boolean): string {
    const { random, prefix } = this;
    if (isShared) return `$share/g${random.below(2)}/${prefix}/q/${random.pick(SHARED_FILTERS)}`;
    return `${prefix}/n/${random.pick(FILTERS)}`;
  }

  private unsubscribe(slot: number): Step {
    const { random } = this;
    const count = random.chance(0.7) ? 1 : 2;
    const filters = Array.from({ length: count }, () => this.filterText(random.chance(0.15)));
    return { kind: "unsubscribe", slot, filters };
  }

  private disconnect(slot: number): Step {
    const { random } = this;
    const isV5 = this.versions[slot] === 5;
    const expiry = isV5 && random.chance(0.2) ? { expiryS: random.pick([0, 3_600]) } : {};
    return { kind: "disconnect", slot, reason: isV5 && random.chance(0.3) ? 4 : 0, ...expiry };
  }
}

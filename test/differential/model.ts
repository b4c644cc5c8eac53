import { topicMatches } from "./topic-match.js";
import type { Recording } from "./player.js";
import type { Connect, Filter, Message, Script, Step } from "./script.js";

/** A subscription as the standard has it, and how it came about. */
export interface ModelSubscription extends Filter {
  readonly identifier: number | undefined;
  /** It took the place of one with other options. */
  readonly isChanged: boolean;
}

/** A message and who was subscribed to it when it was published. */
export interface Published {
  readonly message: Message;
  /** -1 for messages that nobody but the server hands over. */
  readonly origin: number;
  readonly step: number;
  /** By slot. */
  readonly matches: ReadonlyMap<number, readonly ModelSubscription[]>;
  /** Distinct shared subscriptions that match. */
  readonly shares: number;
  /** Some member of these was away, or acknowledged nothing. */
  readonly hasAbsentMember: boolean;
  /** The will of a connection that was taken over. */
  readonly isTakenOverWill: boolean;
}

interface SlotState {
  readonly subscriptions: Map<string, ModelSubscription>;
  isConnected: boolean;
  isMute: boolean;
  connect: Connect | undefined;
}

/** Follows a script with the sessions that our broker reported, and keeps for every message who should get it. */
export class Model {
  private readonly published: Published[] = [];
  private readonly slots: SlotState[];

  constructor(script: Script, ours: Recording) {
    this.slots = Array.from({ length: script.slots }, () => ({
      subscriptions: new Map(),
      isConnected: false,
      isMute: false,
      connect: undefined,
    }));
    for (const [at, step] of script.steps.entries()) this.follow(step, at, ours[at]![step.slot]!.events);
  }

  /** More than one for messages that clear a retained one: these look alike. */
  find(topic: string, payload: string): readonly Published[] {
    return this.published.filter(({ message }) => message.topic === topic && message.payload === payload);
  }

  findBySerial(payload: string): Published | undefined {
    return this.published.find(({ message }) => message.payload === payload);
  }

  takenOverWills(topic: string): readonly Message[] {
    const wills = this.published.filter((one) => one.isTakenOverWill && one.message.topic === topic);
    return wills.map(({ message }) => message);
  }

  private follow(step: Step, at: number, events: readonly string[]): void {
    const slot = this.slots[step.slot]!;
    switch (step.kind) {
      case "connect":
        return this.connect(slot, step, at, events);
      case "subscribe":
        for (const filter of step.filters) subscribe(slot, filter, step.identifier);
        return;
      case "unsubscribe":
        for (const filter of step.filters) slot.subscriptions.delete(filter);
        return;
      case "publish":
        for (const message of step.messages) this.publish(message, step.slot, at);
        return;
      case "mute":
        slot.isMute = true;
        return;
      default:
        slot.isConnected = false;
        if (step.kind === "drop" || step.reason === 4 || raisesExpiry(slot, step))
          this.publishWill(slot, step.slot, at);
        if (endsSession(slot, step)) slot.subscriptions.clear();
    }
  }

  private connect(
    slot: SlotState,
    step: Step & { kind: "connect" },
    at: number,
    events: readonly string[],
  ): void {
    const isTakeOver = slot.isConnected;
    if (isTakeOver) this.publishWill(slot, step.slot, at, true);
    if (events.some((event) => event.endsWith("without session"))) slot.subscriptions.clear();
    slot.isConnected = true;
    slot.isMute = false;
    slot.connect = step.connect;
  }

  private publishWill(slot: SlotState, origin: number, at: number, isTakenOverWill = false): void {
    const will = slot.connect?.will;
    if (will !== undefined) this.publish(will, origin, at, isTakenOverWill);
  }

  private publish(message: Message, origin: number, step: number, isTakenOverWill = false): void {
    const matches = new Map<number, ModelSubscription[]>();
    const shares = new Set<string>();
    let hasAbsentMember = false;
    for (const [at, slot] of this.slots.entries())
      for (const subscription of slot.subscriptions.values()) {
        const [, , ...rest] = subscription.topic.split("/");
        const isShared = subscription.topic.startsWith("$share/");
        if (!topicMatches(isShared ? rest.join("/") : subscription.topic, message.topic)) continue;
        if (isShared) {
          shares.add(subscription.topic);
          if (!slot.isConnected || slot.isMute) hasAbsentMember = true;
        } else matches.set(at, [...(matches.get(at) ?? []), subscription]);
      }
    this.published.push({
      message,
      origin,
      step,
      matches,
      shares: shares.size,
      hasAbsentMember,
      isTakenOverWill,
    });
  }
}

/** Does the session end with this connection (§3.1.2.11.2; in 3.1.1 Clean Session)? */
function endsSession({ connect }: SlotState, step: Step & { kind: "disconnect" | "drop" }): boolean {
  if (connect === undefined) return false;
  if (connect.version === 4) return connect.clean;
  const expiryS = connect.properties?.["sessionExpiryInterval"] ?? 0;
  return (step.kind === "disconnect" && expiryS > 0 ? (step.expiryS ?? expiryS) : expiryS) === 0;
}

/** [3.14.2.2.2] a Session Expiry Interval of 0 cannot be raised on the way out: not an orderly end. */
const raisesExpiry = (slot: SlotState, { expiryS = 0 }: Step & { kind: "disconnect" }): boolean =>
  expiryS > 0 && (slot.connect?.properties?.["sessionExpiryInterval"] ?? 0) === 0;

function subscribe(slot: SlotState, filter: Filter, identifier: number | undefined): void {
  const earlier = slot.subscriptions.get(filter.topic);
  const isChanged =
    earlier !== undefined &&
    (earlier.isChanged ||
      earlier.nl !== filter.nl ||
      earlier.rap !== filter.rap ||
      earlier.qos !== filter.qos ||
      earlier.identifier !== identifier);
  slot.subscriptions.delete(filter.topic);
  slot.subscriptions.set(filter.topic, { ...filter, identifier, isChanged });
}

import { type Difference, parseShared } from "./comparison.js";
import { MAX_INFLIGHT } from "./contestants.js";
import type { Delivery } from "./foreign-client.js";
import { Model, type ModelSubscription, type Published } from "./model.js";
import type { Recording } from "./player.js";
import type { Script } from "./script.js";

/** What rules look at. */
interface Context {
  readonly script: Script;
  readonly model: Model;
  readonly theirs: Recording;
  readonly ours: Recording;
}

/** Why two brokers may differ, or why one of them is wrong: a statement of the standard decides. */
interface Rule {
  readonly name: string;
  readonly applies: (difference: Difference, context: Context) => boolean;
}

const RULES: readonly Rule[] = [
  {
    name: "[MQTT-3.1.4-3] an MQTT 5 client that is taken over is told so: DISCONNECT 0x8E; mosquitto only closes",
    applies: ({ kind, theirs, ours }) => kind === "take-over" && ours === `disconnect 142; ${theirs}`,
  },
  {
    name: "[MQTT-3.1.2-8, 3.1.4-3] a take-over ends a connection without DISCONNECT, so the will goes out; mosquitto keeps it back where the session goes on",
    applies: (difference, { model }) =>
      concernsTakenOverWill(difference, model) ||
      (difference.kind === "shared" && sharedAre(model, difference, (one) => one.isTakenOverWill)),
  },
  {
    name: "[MQTT-3.3.5-1] overlapping subscriptions: one copy with the highest QoS and every identifier, or several; mosquitto sends several, to 3.1.1 clients sometimes one with a lower QoS",
    applies: (difference, context) => {
      const found = lookUp(difference, context);
      return found !== undefined && found.matching.length > 1 && found.isAsTheModel;
    },
  },
  {
    name: "[MQTT-3.8.4-3] a subscription to the same filter replaces the earlier one with all its options; mosquitto keeps No Local and Retain As Published of the first",
    applies: (difference, context) => {
      const found = lookUp(difference, context);
      return found !== undefined && found.isAsTheModel && found.all.some(({ isChanged }) => isChanged);
    },
  },
  {
    name: "[MQTT-3.8.4-5] one SUBSCRIBE with the same filter twice: retained messages come with the QoS granted at that time, or in the end",
    applies: (difference, context) => {
      if (difference.kind !== "copies") return false;
      const repeats = (at: number): boolean => hasFilterTwice(context.script, at, difference.slot);
      if (repeats(difference.step)) return true;
      // They may have had to wait for room in the window.
      const { theirs, ours } = difference.deliveries!;
      return (
        [...theirs, ...ours].every(({ retain }) => retain) &&
        [context.theirs, context.ours].some((one) => isWindowFull(difference, context.script, one)) &&
        context.script.steps.some((_, at) => at < difference.step && repeats(at))
      );
    },
  },
  {
    name: "[4.9] a client that acknowledges nothing gets no more QoS 1 and 2 than its window; the rest waits, with us also QoS 0 that comes behind it (MQTT-4.6.0-6)",
    applies: (difference, context) => {
      const { kind, theirs, ours } = difference;
      if (kind === "missing") return isWindowFull(difference, context.script, context.ours);
      if (kind === "extra") return isWindowFull(difference, context.script, context.theirs);
      const without = (text: string): string => text.replaceAll(" again", "");
      return (
        kind === "copies" &&
        without(theirs) === without(ours) &&
        (isWindowFull(difference, context.script, context.ours) ||
          isWindowFull(difference, context.script, context.theirs))
      );
    },
  },
  {
    name: "[MQTT-4.8.2] every shared subscription gets its copy, also when one client is in several; mosquitto sends one per client",
    applies: (difference, { model }) =>
      difference.kind === "shared" &&
      sharedAre(model, difference, ({ shares }, count) => shares > 1 && shares === count),
  },
  {
    name: "[4.8.2] a shared subscription with members that are away: who gets the message, and when, is the server's choice",
    applies: (difference, { model }) =>
      difference.kind === "shared" && sharedAre(model, difference, ({ hasAbsentMember }) => hasAbsentMember),
  },
];

/** A difference and the rule that explains it, if one does. */
export interface Explained {
  readonly difference: Difference;
  readonly rule: string | undefined;
}

/** Looks every difference of one script up in the rules, in the order of the steps. */
export function explain(
  script: Script,
  differences: readonly Difference[],
  { theirs, ours }: { readonly theirs: Recording; readonly ours: Recording },
): Explained[] {
  const context = { script, model: new Model(script, ours), theirs, ours };
  const known = new Map<string, string>();
  return differences.map((difference) => {
    const key = keyOf(difference);
    const found = RULES.find(({ applies }) => applies(difference, context))?.name;
    // What was delivered differently is delivered again differently.
    const rule = found ?? (isRedelivery(difference) ? known.get(key) : undefined);
    if (rule !== undefined) known.set(key, rule);
    return { difference, rule };
  });
}

function keyOf(difference: Difference): string {
  const sample = sampleOf(difference);
  return `${difference.slot} ${sample?.topic} ${sample?.payload}`;
}

const isRedelivery = ({ deliveries }: Difference): boolean =>
  deliveries !== undefined && [...deliveries.theirs, ...deliveries.ours].every(({ dup }) => dup);

const sampleOf = ({ deliveries }: Difference): Delivery | undefined =>
  deliveries?.ours[0] ?? deliveries?.theirs[0];

function concernsTakenOverWill(difference: Difference, model: Model): boolean {
  const sample = sampleOf(difference);
  if (sample === undefined) return false;
  // One that is retained also changes what later subscribers get.
  return model
    .takenOverWills(sample.topic)
    .some(({ payload, retain }) => payload === sample.payload || (retain && sample.retain));
}

interface Found {
  /** Subscriptions of the slot to the topic when the message was published. */
  readonly all: readonly ModelSubscription[];
  /** Those that the message may take. */
  readonly matching: readonly ModelSubscription[];
  readonly isAsTheModel: boolean;
}

/** What the standard says about a live message, and whether we did that. */
function lookUp(difference: Difference, { model, script }: Context): Found | undefined {
  const sample = sampleOf(difference);
  if (sample === undefined || difference.step < 0) return undefined;
  const { slot, step } = difference;
  const hasIdentifiers = takesIdentifiers(difference, script);
  const candidates = model.find(sample.topic, sample.payload).filter((one) => one.step <= step);
  const recent = candidates.filter((one) => one.step === step);
  const found = (recent.length > 0 ? recent : candidates).flatMap((published): Found[] => {
    const all = published.matches.get(slot);
    if (all === undefined) return [];
    const matching = all
      .filter(({ nl }) => !nl || published.origin !== slot)
      .map((one) => (hasIdentifiers ? one : { ...one, identifier: undefined }));
    const { ours } = difference.deliveries!;
    const isAsTheModel =
      matching.length === 0
        ? ours.length === 0
        : ours.length > 0 && ours.every((delivery) => isExpected(delivery, published, matching));
    return [{ all, matching, isAsTheModel }];
  });
  return found.find(({ isAsTheModel }) => isAsTheModel) ?? found[0];
}

/** Is so much unacknowledged, or was it until this very connection, that the rest has to wait (§4.9)? */
function isWindowFull({ slot, step }: Difference, script: Script, recording: Recording): boolean {
  let unacknowledged = 0;
  let isMute = false;
  let isFull = false;
  let window = MAX_INFLIGHT;
  for (const [at, one] of script.steps.entries()) {
    if (at > step) break;
    if (one.slot === slot && one.kind === "mute") isMute = true;
    if (one.slot === slot && one.kind === "connect") {
      isMute = false;
      unacknowledged = 0;
      if (at < step) isFull = false;
      window = Math.min(MAX_INFLIGHT, one.connect.properties?.["receiveMaximum"] ?? MAX_INFLIGHT);
    }
    if (isMute) unacknowledged += recording[at]![slot]!.deliveries.filter(({ qos }) => qos > 0).length;
    if (isMute && unacknowledged >= window) isFull = true;
  }
  return isFull;
}

function hasFilterTwice({ steps }: Script, at: number, slot: number): boolean {
  const step = steps[at];
  if (step?.kind !== "subscribe" || step.slot !== slot) return false;
  return new Set(step.filters.map(({ topic }) => topic)).size < step.filters.length;
}

/** Only MQTT 5 has subscription identifiers; a session may have begun with another version. */
function takesIdentifiers({ slot, step }: Difference, { steps }: Script): boolean {
  const connects = steps.slice(0, step + 1).filter((one) => one.slot === slot && one.kind === "connect");
  const last = connects.at(-1);
  return last?.kind === "connect" && last.connect.version === 5;
}

function isExpected(
  { qos, retain, identifiers }: Delivery,
  { message }: Published,
  matching: readonly ModelSubscription[],
): boolean {
  const expected = matching.flatMap(({ identifier }) => identifier ?? []).sort((a, b) => a - b);
  return (
    qos === Math.min(message.qos, Math.max(...matching.map((one) => one.qos))) &&
    retain === (message.retain && matching.some(({ rap }) => rap)) &&
    expected.join() === [...identifiers].sort((a, b) => a - b).join()
  );
}

/** Does it hold of every message of which there were more or fewer copies? `count` is ours. */
function sharedAre(
  model: Model,
  difference: Difference,
  holds: (published: Published, count: number) => boolean,
): boolean {
  const [theirs, ours] = [parseShared(difference.theirs), parseShared(difference.ours)];
  for (const payload of new Set([...theirs.keys(), ...ours.keys()])) {
    const count = ours.get(payload) ?? 0;
    if (count === (theirs.get(payload) ?? 0)) continue;
    const published = model.findBySerial(payload);
    if (published === undefined || !holds(published, count)) return false;
  }
  return true;
}

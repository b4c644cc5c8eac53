import type { Delivery } from "./foreign-client.js";
import type { Recording } from "./player.js";
import { isSharedTopic, type Script, type Step } from "./script.js";

/** Something that a slot saw of one broker and not of the other. `theirs` is mosquitto's. */
export interface Difference {
  readonly kind: "events" | "take-over" | "missing" | "extra" | "copies" | "order" | "shared";
  /** -1: what is retained in the end. */
  readonly step: number;
  readonly slot: number;
  readonly theirs: string;
  readonly ours: string;
  readonly deliveries?: { readonly theirs: readonly Delivery[]; readonly ours: readonly Delivery[] };
}

/** Compares step by step, slot by slot. */
export function compare(script: Script, theirs: Recording, ours: Recording): Difference[] {
  const differences: Difference[] = [];
  const wills = new Set(
    script.steps.flatMap((step) => (step.kind === "connect" ? (step.connect.will?.payload ?? []) : [])),
  );
  for (const [at, theirStep] of theirs.entries()) {
    const isAudit = at === script.steps.length;
    const step = isAudit ? -1 : at;
    const ourStep = ours[at]!;
    for (const [slot, { events, earlier, deliveries }] of theirStep.entries()) {
      const own = ourStep[slot]!;
      const place = { step, slot };
      for (const [kind, seen, seenOfOurs] of [
        ["events", events, own.events],
        ["take-over", earlier, own.earlier],
      ] as const)
        if (seen.join("; ") !== seenOfOurs.join("; "))
          differences.push({ kind, ...place, theirs: seen.join("; "), ours: seenOfOurs.join("; ") });
      differences.push(
        ...compareDeliveries(deliveries, own.deliveries, wills).map((one) => ({ ...one, ...place })),
      );
    }
    const shared = [theirStep, ourStep].map((observations) =>
      sharedCopies(observations.flatMap(({ deliveries }) => deliveries)),
    );
    if (shared[0] !== shared[1])
      differences.push({ kind: "shared", step, slot: -1, theirs: shared[0]!, ours: shared[1]! });
  }
  return differences;
}

type Found = Omit<Difference, "step" | "slot">;

function compareDeliveries(
  theirs: readonly Delivery[],
  ours: readonly Delivery[],
  wills: ReadonlySet<string>,
): Found[] {
  const found: Found[] = [];
  const [theirGroups, ourGroups] = [groupsOf(theirs), groupsOf(ours)];
  for (const key of new Set([...theirGroups.keys(), ...ourGroups.keys()])) {
    const [their, our] = [theirGroups.get(key) ?? [], ourGroups.get(key) ?? []];
    const texts = [textOf(their), textOf(our)] as const;
    if (texts[0] === texts[1]) continue;
    const kind = our.length === 0 ? "missing" : their.length === 0 ? "extra" : "copies";
    const deliveries = { theirs: their, ours: our };
    found.push({ kind, theirs: `${key}: ${texts[0]}`, ours: `${key}: ${texts[1]}`, deliveries });
  }
  const disorder = disorderIn(ours, wills);
  if (disorder !== undefined)
    found.push({ kind: "order", theirs: disorderIn(theirs, wills) ?? "in order", ours: disorder });
  return found;
}

/** Copies of the same message, shared ones aside. */
function groupsOf(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    if (isSharedTopic(delivery.topic)) continue;
    const key = `${delivery.topic} ${JSON.stringify(delivery.payload)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [delivery]);
    else group.push(delivery);
  }
  return groups;
}

const textOf = (copies: readonly Delivery[]): string =>
  copies
    .map(({ qos, retain, dup, identifiers, properties }) => {
      const marks = `${retain ? " retained" : ""}${dup ? " again" : ""}`;
      return `QoS ${qos}${marks} [${[...identifiers].sort((a, b) => a - b).join(",")}] ${properties}`;
    })
    .sort()
    .join(" + ");

/** Messages of one topic and QoS come in the order in which they were published [MQTT-4.6.0-5, 4.6.0-6]. */
function disorderIn(deliveries: readonly Delivery[], wills: ReadonlySet<string>): string | undefined {
  const last = new Map<string, number>();
  for (const { topic, qos, payload, dup, retain } of deliveries) {
    // Serial numbers tell when a message was drawn: a will is published later than that.
    if (payload === "" || dup || retain || wills.has(payload)) continue;
    const key = `${topic} ${qos}`;
    const serial = Number(payload);
    if ((last.get(key) ?? 0) > serial) return `${topic} QoS ${qos}: ${serial} after ${last.get(key)}`;
    last.set(key, serial);
  }
  return undefined;
}

/** How many copies of each message on a shared topic were handed out, to whomever. */
function sharedCopies(deliveries: readonly Delivery[]): string {
  const copies = new Map<string, number>();
  for (const { topic, payload } of deliveries)
    if (isSharedTopic(topic)) copies.set(payload, (copies.get(payload) ?? 0) + 1);
  return [...copies]
    .map(([payload, count]) => `${payload}x${count}`)
    .sort()
    .join(" ");
}

/** Copies by message: what {@link sharedCopies} wrote. */
export const parseShared = (text: string): Map<string, number> =>
  new Map(
    text
      .split(" ")
      .filter((one) => one !== "")
      .map((one) => one.split("x") as [string, string])
      .map(([payload, count]) => [payload, Number(count)]),
  );

export const describeStep = (step: Step): string => JSON.stringify(step);
